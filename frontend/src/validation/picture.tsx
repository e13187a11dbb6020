import { Bars } from "../charts/bars";
import { Histogram } from "../charts/histogram";
import { Lines } from "../charts/lines";
import type { PictureView } from "./view";

export function Picture({ picture }: { picture: PictureView | null }) {
  if (picture === null) return null;
  if (picture.kind === "histogram") return <Histogram {...picture} />;
  return picture.kind === "series" ? <Lines {...picture} /> : <Bars {...picture} />;
}
