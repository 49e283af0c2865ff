// Print a JSON Schema for each type named in roots.json, each made apart: two packages may give two types one name.
import { readFileSync } from "node:fs";
import { createFormatter, createParser, createProgram, DEFAULT_CONFIG, SchemaGenerator } from "ts-json-schema-generator";

const config = { ...DEFAULT_CONFIG, path: "shapes.ts", tsconfig: "tsconfig.json", skipTypeCheck: true, expose: "all" };
const program = createProgram(config);
const made = (root) => new SchemaGenerator(program, createParser(program, config), createFormatter(config), config).createSchema(`Of${root}`);
const roots = JSON.parse(readFileSync("roots.json", "utf8"));
console.log(JSON.stringify(Object.fromEntries(roots.map((root) => [root, made(root).definitions]))));
