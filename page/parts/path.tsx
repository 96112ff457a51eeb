import { Fragment } from 'preact';

/** A path, which may break after its slashes only. */
export function Path({ path }: { path: string }) {
  const parts = path.split('/');
  return (
    <code class="path" title={path}>
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
    </code>
  );
}
