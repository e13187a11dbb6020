/** A canvas that is drawn again when its size, its theme or what it shows changes. */
import { useEffect, useRef } from "preact/hooks";

export type Draw = (context: CanvasRenderingContext2D, width: number, height: number) => void;

export function useCanvas(draw: Draw, inputs: unknown[]) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const show = () => {
      const [width, height] = [element.clientWidth, element.clientHeight];
      const density = devicePixelRatio || 1;
      element.width = Math.round(width * density);
      element.height = Math.round(height * density);
      const context = element.getContext("2d");
      if (!context || width === 0) return;
      context.scale(density, density);
      draw(context, width, height);
    };
    const observer = new ResizeObserver(show);
    observer.observe(element);
    return () => observer.disconnect();
  }, inputs);
  return canvas;
}
