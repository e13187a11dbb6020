/** The head of a table: `num` names a column of figures, which stand to the right. */
interface Figures {
  figures: string;
}

export const num = (name: string): Figures => ({ figures: name });

export function Columns({ of }: { of: (string | Figures)[] }) {
  return (
    <thead>
      <tr>
        {of.map((name) =>
          typeof name === "string" ? (
            <th key={name} scope="col">
              {name}
            </th>
          ) : (
            <th key={name.figures} scope="col" class="num">
              {name.figures}
            </th>
          ),
        )}
      </tr>
    </thead>
  );
}
