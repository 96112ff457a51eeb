import { Fragment } from 'preact';

/** A path, which may break after its slashes only. */
export function Path({ path }: { path: string }) {
  return (
    <code class="path" title={path}>
      <Breakable text={path} />
    </code>
  );
}

/** A text with paths in it. */
export function Breakable({ text }: { text: string }) {
  const parts = text.split('/');
  return (
    <>
      {parts.map((part, index) => (
        <Fragment key={index}>
          {part}
          {index < parts.length - 1 && (
            <>
              /<wbr />
            </>
          )}
        </Fragment>
      ))}
    </>
  );
}
