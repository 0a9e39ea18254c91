// Answers queries about teams with mingo, as an oracle for the filter compiler.
//
// Standard input: [{teams: [...], queries: [{filter, order: [[field, 1 | -1]...], skip, limit}]}]
// Standard output: [[{ids, total}...]...], in the same order.
//
// mingo knows MongoDB; the document's own rules (numbers that are strings on the wire, aliases) are made of it here, by
// rewriting the filter: every operator on a field becomes a condition of its own, so that it can have its own field. So is
// what MongoDB's manual says and mingo does not do, each with a word where it stands.
import { Query } from "mingo";

const aliases = { _id: "id", key: "code", breif: "brief" };
const integerTexts = new Set(["enabled", "invite_only", "rolec", "usroc", "private"]);
const numbers = new Set([...integerTexts, "ct", "ut", "score"]);
const times = new Set(["seen"]);
const never = { never: "equal" };

function team(row) {
  const doc = { ...row };
  for (const name of integerTexts) {
    doc[name] = Number(row[name]);
    doc[name + "#text"] = String(doc[name]);
  }
  for (const name of times) if (doc[name] != null) doc[name] = new Date(doc[name]);
  // A null in the table is a missing field.
  for (const name of Object.keys(doc)) if (doc[name] === null) delete doc[name];
  return doc;
}

function operand(field, value) {
  if (Array.isArray(value) && !integerTexts.has(field)) return value;
  if (integerTexts.has(field)) {
    if (typeof value === "string") return /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? Number(value) : never;
    if (typeof value === "boolean") return Number(value);
    if (value !== null && typeof value === "object") return never;
  }
  if (times.has(field) && value !== null) {
    const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
    return typeof value === "string" && rfc3339.test(value) ? new Date(value) : never;
  }
  return value;
}

const isOperators = (value) =>
  value !== null && typeof value === "object" && Object.keys(value).some((name) => name.startsWith("$"));

/** The conditions that operators on a field come to. */
function conditions(field, operators) {
  const found = [];
  for (const [name, value] of Object.entries(operators)) {
    const text = integerTexts.has(field) ? field + "#text" : field;
    switch (name) {
      case "$options":
        break;
      case "$regex":
        // By code point, as text is in PostgreSQL.
        found.push({ [text]: { $regex: new RegExp(value, (operators.$options ?? "") + "u") } });
        break;
      case "$type":
        // MongoDB looks at the elements of an array, too; mingo does not.
        found.push({ $or: [{ [text]: { $type: value } }, { [text]: { $elemMatch: { $type: value } } }] });
        break;
      case "$not":
        found.push({ $nor: [{ $and: conditions(field, value) }] });
        break;
      case "$in":
      case "$nin": {
        // MongoDB finds whole arrays in the list, too; mingo does not.
        const equal = value.map((one) => ({ [field]: { $eq: operand(field, one) } }));
        const some = equal.length > 0 ? { $or: equal } : never;
        found.push(name === "$in" ? some : { $nor: [some] });
        break;
      }
      case "$all":
        found.push({ [field]: { $all: value.map((one) => (isOperators(one) ? one : operand(field, one))) } });
        break;
      case "$elemMatch":
        found.push({ [field]: { $elemMatch: value } });
        break;
      case "$mod":
        // MongoDB divides numbers only; mingo takes what JavaScript can make a number of.
        found.push(numbers.has(field) ? { [field]: { $mod: value } } : never);
        break;
      case "$gte":
      case "$lte":
        // In MongoDB null is as great as null and as what is missing; in mingo it is not.
        found.push({ [field]: value === null ? { $eq: null } : { [name]: operand(field, value) } });
        break;
      case "$exists":
      case "$size":
        found.push({ [field]: { [name]: value } });
        break;
      default:
        found.push({ [field]: { [name]: operand(field, value) } });
    }
  }
  return found;
}

function rewritten(filter) {
  const found = [];
  for (const [name, value] of Object.entries(filter)) {
    const field = aliases[name] ?? name;
    if (name.startsWith("$")) found.push({ [name]: value.map(rewritten) });
    else if (isOperators(value)) found.push(...conditions(field, value));
    else found.push({ [field]: { $eq: operand(field, value) } });
  }
  return found.length > 0 ? { $and: found } : {};
}

let input = "";
for await (const chunk of process.stdin) input += chunk;
const answers = JSON.parse(input).map(({ teams, queries }) => {
  const docs = teams.map(team);
  return queries.map(({ filter, order, skip, limit }) => {
    const query = new Query(rewritten(filter));
    const sort = {};
    for (const [name, way] of order) sort[aliases[name] ?? name] ??= way;
    const all = query.find(docs).sort({ ...sort, id: sort.id ?? 1 }).all();
    return { ids: all.slice(skip, skip + limit).map((doc) => doc.id), total: all.length };
  });
});
process.stdout.write(JSON.stringify(answers));
