import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Built into dist/, which the server serves. `npm run dev -w console` forwards the API to a running server. */
export default defineConfig({
  plugins: [react()],
  build: { outDir: 'dist', chunkSizeWarningLimit: 1500 },
  server: { proxy: { '/api': 'http://127.0.0.1:7420' } },
});
