import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Built into dist/, which the server serves; `npm run dev` serves the sources with hot reload. */
export default defineConfig({
  plugins: [react()],
  build: { outDir: 'dist', chunkSizeWarningLimit: 1500 },
});
