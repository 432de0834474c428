export { column, enumColumn, type Fields, keyedNumber, list, map, related } from './fields.js';
export { type List, paginate } from './paginate.js';
