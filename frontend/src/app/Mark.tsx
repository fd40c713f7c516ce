/** The product's name and mark. */
export function Mark() {
  return (
    <span className="mark">
      <img src="/mark.svg" alt="" width="28" height="28" />
      <span>cdc-agent</span>
    </span>
  );
}
