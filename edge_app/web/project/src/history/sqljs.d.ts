/** What is used of sql.js, which comes without types. */
declare module "sql.js/dist/sql-wasm-browser.js" {
  export type Value = string | number | Uint8Array | null;

  export interface Statement {
    run(values: readonly Value[]): void;
    step(): boolean;
    getAsObject(): Record<string, Value>;
    free(): void;
  }

  export interface Database {
    run(sql: string, values?: readonly Value[]): Database;
    prepare(sql: string): Statement;
    create_function(name: string, work: (...values: never[]) => Value): Database;
    export(): Uint8Array<ArrayBuffer>;
    close(): void;
  }

  export interface Sql {
    readonly Database: new (bytes?: Uint8Array) => Database;
  }

  export default function load(options: { locateFile: (name: string) => string }): Promise<Sql>;
}
