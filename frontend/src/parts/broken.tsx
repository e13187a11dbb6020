/** What the reader sees instead of a blank page. */
export function Broken({ noun, message }: { noun: string; message: string }) {
  return (
    <main class="broken">
      <h1>This {noun} cannot be shown</h1>
      <p role="alert">{message}</p>
      <p class="muted">Its tables are in the folder of the run, as Parquet and CSV; the {noun} can be written again from them.</p>
    </main>
  );
}
