"""Checks a JSON document against a JSON Schema, as far as our schemas go: type, const, enum, required, properties, additionalProperties,
items. An unknown keyword is an error: a schema may not say more than is checked."""

KNOWN = {"$schema", "title", "description", "type", "const", "enum", "required", "properties", "additionalProperties", "items"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float), "null": type(None)}


def is_type(value, name):
    if isinstance(value, bool) and name in ("integer", "number"):
        return False
    return isinstance(value, TYPES[name])


def faults(value, schema, where="$"):
    """What is wrong, a line each."""
    unknown = set(schema) - KNOWN
    if unknown:
        raise ValueError(f"{where}: the schema uses {sorted(unknown)}")
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(value, name) for name in types):
        yield f"{where} is {type(value).__name__}, not {' or '.join(types)}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where} is {value!r}, not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {value!r}, none of {schema['enum']}"
    if isinstance(value, dict):
        yield from member_faults(value, schema, where)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from faults(item, schema["items"], f"{where}[{index}]")


def member_faults(value, schema, where):
    yield from (f"{where} lacks {name}" for name in schema.get("required", []) if name not in value)
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, member in value.items():
        if name in known:
            yield from faults(member, known[name], f"{where}.{name}")
        elif others is False:
            yield f"{where} has {name}, which the schema does not know"
        elif isinstance(others, dict):
            yield from faults(member, others, f"{where}.{name}")
