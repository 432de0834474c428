import type { Look } from '../states';
import classes from './icons.module.css';

/** The shape of a state, in the text's colour. Decoration only: the word stands beside it. */
export function StateShape({ shape, size = 12 }: { shape: Look['shape']; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 12 12"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
      className={shape === 'running' ? classes.spin : undefined}
    >
      {paths[shape]}
    </svg>
  );
}

const ring = <circle cx={6} cy={6} r={4.8} />;

const paths: Record<Look['shape'], React.ReactNode> = {
  none: <circle cx={6} cy={6} r={4.8} strokeDasharray="1.5 2.2" />,
  waiting: (
    <>
      {ring}
      <path d="M6 3.4V6l1.8 1.2" />
    </>
  ),
  running: <path d="M6 1.2a4.8 4.8 0 1 1-4.8 4.8" />,
  done: (
    <>
      {ring}
      <path d="M3.8 6.2l1.6 1.6 2.9-3.4" />
    </>
  ),
  failed: (
    <>
      {ring}
      <path d="M4.4 4.4l3.2 3.2M7.6 4.4L4.4 7.6" />
    </>
  ),
  stopped: (
    <>
      {ring}
      <path d="M3.6 6h4.8" />
    </>
  ),
};
