export { isArchive, packBackup, withFolder } from './archive.js';
export { writeBackup } from './backup.js';
export { type Manifest, readManifest, verifyBackup } from './manifest.js';
export { isInstallation, migrationsFor, restoreBackup } from './restore.js';
