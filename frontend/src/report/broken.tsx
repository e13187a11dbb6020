/** What the reader sees instead of a blank page. */
export function Broken({ message }: { message: string }) {
  return (
    <main class="broken">
      <h1>This report cannot be shown</h1>
      <p role="alert">{message}</p>
      <p class="muted">The tables of the run are in its folder, as Parquet and CSV; the report can be written again from them.</p>
    </main>
  );
}
