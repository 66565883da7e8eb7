/** The build of sql.js with the WebAssembly inside, which works from a bundle. `@types/sql.js` does not know this file. */
declare module "sql.js/dist/sql-wasm-inline.js" {
  import initSqlJs from "sql.js"
  export default initSqlJs
}
