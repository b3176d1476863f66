//! JSON Schema of the job file, for editors.
//!
//! It allows more than the parser (names, ports, units), and never rejects a file that the parser
//! accepts. A test checks that both have the same keys.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use tidegate_checkpoint::NodeKind;
use tidegate_connector::ConnectorList;

use super::options::options;
use super::settings::{ROOT, version_schema};
use super::tables::{JOB_TABLES, node_section};
use crate::config_file::setting::Described as _;

/// Returns the schema of the job file that can name these connectors.
pub fn schema(list: &ConnectorList) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = ROOT.schema(&mut generator);
    let properties = &mut schema["properties"];
    properties["version"] = version_schema(&mut generator).to_value();
    properties["version"]["description"] = json!("The version of the job file's format.");
    for table in JOB_TABLES {
        properties[table.key] = table.section.schema(&mut generator);
    }
    properties["source"] = connectors(&mut generator, list, NodeKind::Source);
    properties["operator"] = operators(&mut generator);
    properties["sink"] = connectors(&mut generator, list, NodeKind::Sink);
    schema["required"] = json!(["version", "name", "source", "sink"]);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Tidegate job file");
    schema["$defs"] = Value::Object(generator.take_definitions(true));
    without_null(&mut schema);
    schema
}

fn operators(generator: &mut SchemaGenerator) -> Value {
    let operator = node_section(NodeKind::Operator).schema(generator);
    json!({
        "type": "object",
        "description": "The operators of the job, by name.",
        "additionalProperties": operator,
    })
}

/// Tables of any name, each with the options of one of the connectors and the keys of its kind. The
/// name of the connector selects its options, so that an editor reports a mistake once and at its
/// place; of alternatives, it would report that none matches.
fn connectors(generator: &mut SchemaGenerator, list: &ConnectorList, kind: NodeKind) -> Value {
    let common = node_section(kind).schema(generator);
    let variant = |(name, options): (&'static str, Schema)| {
        let mut variant = options.to_value();
        if let Some(variant) = variant.as_object_mut() {
            variant.remove("$schema");
            if let Some(Value::Object(definitions)) = variant.remove("$defs") {
                generator.definitions_mut().extend(definitions);
            }
            add_common(variant, name, &common);
        }
        let is_named = json!({
            "properties": { "connector": { "const": name } },
            "required": ["connector"],
        });
        json!({ "if": is_named, "then": variant })
    };
    let options = options(list, kind);
    let names: Vec<_> = options.iter().map(|(name, _)| *name).collect();
    let variants: Vec<Value> = options.into_iter().map(variant).collect();
    json!({
        "type": "object",
        "description": format!("The {kind}s of the job, by name."),
        "minProperties": 1,
        "additionalProperties": {
            "type": "object",
            "required": ["connector"],
            "properties": { "connector": { "enum": names } },
            "allOf": variants,
        },
    })
}

/// Adds the keys that every node of its kind has to the options of a connector.
fn add_common(variant: &mut Map<String, Value>, connector: &str, common: &Value) {
    let properties = variant.entry("properties").or_insert_with(|| json!({}));
    if let (Some(properties), Some(common)) =
        (properties.as_object_mut(), common["properties"].as_object())
    {
        properties.extend(common.clone());
        properties.insert("connector".to_owned(), json!({ "const": connector }));
    }
    let mut required = common["required"].as_array().cloned().unwrap_or_default();
    if let Some(own) = variant.get("required").and_then(Value::as_array) {
        required.extend(own.iter().cloned());
    }
    variant.insert("required".to_owned(), Value::Array(required));
}

/// Removes null from a schema: TOML has no null, and an absent key takes its place.
pub fn without_null(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
            choices.retain(|choice| choice != &json!({ "type": "null" }));
        }
        if object.get("default") == Some(&Value::Null) {
            object.remove("default");
        }
        object.values_mut().for_each(without_null);
    } else if let Some(items) = value.as_array_mut() {
        items.iter_mut().for_each(without_null);
    }
}
