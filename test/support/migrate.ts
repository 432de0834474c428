// Brings the database of DATABASE_URL up to date, as a server does at its start, and ends.
import { migrations } from '../../migrations/index.js';
import { entities } from '../../server/src/app.module.js';
import { openDatabase } from '../../server/src/platform/database/database.js';

const database = await openDatabase({ url: process.env['DATABASE_URL'] ?? '', entities, migrations });
await database.destroy();
