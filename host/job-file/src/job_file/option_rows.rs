//! The options of a connector as rows of a table, from the JSON Schema that it declares. Pure.

use serde_json::{Map, Value};

use crate::config_file::setting::{Absent, Row};

/// Returns the rows of the options in `schema`. The keys of a table follow its own row.
pub(crate) fn rows(schema: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    add(schema, schema, "", &mut rows);
    rows
}

fn add(root: &Value, table: &Value, prefix: &str, rows: &mut Vec<Row>) {
    let Some(properties) = table["properties"].as_object() else {
        return;
    };
    for (key, property) in properties {
        let options = alternatives(root, property);
        let kinds: Vec<String> = options.iter().map(|option| kind(option)).collect();
        rows.push(Row {
            key: format!("{prefix}{key}"),
            kind: kinds.join(" or "),
            absent: absent(table, key, property),
            help: text(property, "description"),
            words: options.iter().flat_map(|option| words(option)).collect(),
            since: None,
        });
        for option in options {
            add(root, option, &format!("{prefix}{key}."), rows);
        }
    }
}

/// Returns the alternatives for the value of a property, with every reference resolved.
fn alternatives<'a>(root: &'a Value, property: &'a Value) -> Vec<&'a Value> {
    let property = match property["$ref"].as_str() {
        Some(reference) => {
            let name = reference.trim_start_matches("#/$defs/");
            &root["$defs"][name]
        }
        None => property,
    };
    match property["anyOf"].as_array() {
        Some(options) if property["title"].is_null() => {
            let options = options.iter().filter(|option| option["type"] != "null");
            options
                .flat_map(|option| alternatives(root, option))
                .collect()
        }
        Some(_) | None => vec![property],
    }
}

fn kind(option: &Value) -> String {
    if let Some(title) = option["title"].as_str() {
        return title.to_owned();
    }
    if option["oneOf"].is_array() {
        return "word".to_owned();
    }
    let types = match option["type"].as_array() {
        Some(types) => types.as_slice(),
        None => std::slice::from_ref(&option["type"]),
    };
    let types = types.iter().filter_map(Value::as_str);
    let named = types.filter(|name| *name != "null");
    let named = named.map(|name| match name {
        "string" => "text",
        "boolean" => "true or false",
        "object" => "table",
        "array" => "list",
        other => other,
    });
    named.collect::<Vec<_>>().join(" or ")
}

fn words(option: &Value) -> Vec<(String, String)> {
    let words = option["oneOf"].as_array().into_iter().flatten();
    // Other alternatives are tables, which the description explains.
    words
        .filter(|word| word["const"].is_string())
        .map(|word| (text(word, "const"), text(word, "description")))
        .collect()
}

fn absent(table: &Value, key: &str, property: &Value) -> Absent {
    let required = table["required"].as_array().into_iter().flatten();
    if required.into_iter().any(|name| name == key) {
        return Absent::Refused;
    }
    match property.get("default") {
        None | Some(Value::Null) => Absent::Means("none"),
        Some(value) => Absent::Value(value.to_string()),
    }
}

fn text(value: &Value, key: &str) -> String {
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    let text = object.get(key).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config_file::setting::markdown;

    #[test]
    fn options_are_shown_with_their_references_resolved() {
        let schema = json!({
            "$defs": {
                "Late": {
                    "type": "object",
                    "properties": { "every": { "type": "integer", "description": "How often." } },
                    "required": ["every"],
                },
                "Format": { "oneOf": [{ "const": "tsv", "description": "Tabs." }] },
            },
            "properties": {
                "format": { "$ref": "#/$defs/Format", "default": "tsv", "description": "Form." },
                "late": {
                    "anyOf": [{ "$ref": "#/$defs/Late" }, { "type": "null" }],
                    "description": "Lateness.",
                },
                "rate": { "type": ["integer", "null"], "description": "Pace." },
            },
        });
        let table = markdown::table(&rows(&schema));
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| `format` | word | `\"tsv\"` | Form.<br>`tsv`: Tabs. |",
                "| `late` | table | none | Lateness. |",
                "| `late.every` | integer | required | How often. |",
                "| `rate` | integer | none | Pace. |",
            ]
        );
    }
}
