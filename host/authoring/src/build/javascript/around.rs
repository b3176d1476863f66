//! Puts the interface of operators around a component that has the engine's interface.
//!
//! The engine converts the numbers of a list one at a time, and rounds those of 64 bits: three
//! numbers a record cost more than the work of most operators. So it receives lists of numbers as
//! bytes. Two small components, one for calls to the host and one for calls from it, pass whole
//! lists on and change only their lengths:
//!
//! host → inward → engine → outward → host

use anyhow::{Context, anyhow};
use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentInstanceSection, ComponentSectionId, RawSection,
};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::ENGINE_WIT;
use crate::build::wit;

const AROUND_WIT: &str = include_str!("around.wit");
const OUTWARD: &str = include_str!("outward.wat");
const INWARD: &str = include_str!("inward.wat");

/// The part that both modules share, and its place in them.
const MEMORY: &str = include_str!("memory.wat");
const MEMORY_PLACE: &str = ";; (memory)";

const HOST: &str = "tidegate:operator/host@0.1.0";
const TYPES: &str = "tidegate:operator/types@0.1.0";
const OPERATOR: &str = "tidegate:operator/operator@0.1.0";
const ENGINE_HOST: &str = "tidegate:javascript/host@0.1.0";
const ENGINE_TYPES: &str = "tidegate:javascript/types@0.1.0";
const ENGINE_OPERATOR: &str = "tidegate:javascript/operator@0.1.0";

/// Returns a component that is an operator, with this engine inside.
pub(super) fn put_around(engine: &[u8]) -> anyhow::Result<Vec<u8>> {
    let outward = side("outward", OUTWARD)?;
    let inward = side("inward", INWARD)?;
    let mut whole = Whole::importing_what(&inward)?;
    let [host, types] = [HOST, TYPES].map(|name| whole.imported(name));
    let (host, types) = (host?, types?);

    let outward = whole.instantiate(&outward, &[(HOST, host), (TYPES, types)]);
    let engine_types = whole.export_of(outward, ENGINE_TYPES);
    let engine_host = whole.export_of(outward, ENGINE_HOST);

    let given = [(ENGINE_HOST, engine_host), (ENGINE_TYPES, engine_types)];
    let engine = whole.instantiate(engine, &given);
    let engine_operator = whole.export_of(engine, ENGINE_OPERATOR);

    let given = [
        (HOST, host),
        (TYPES, types),
        (ENGINE_TYPES, engine_types),
        (ENGINE_OPERATOR, engine_operator),
    ];
    let inward = whole.instantiate(&inward, &given);
    let operator = whole.export_of(inward, OPERATOR);
    Ok(whole.exporting(operator))
}

/// Returns one of the components around the engine, with this world.
fn side(world: &str, text: &str) -> anyhow::Result<Vec<u8>> {
    let (mut resolve, _) = wit::resolve();
    resolve.push_str("engine.wit", ENGINE_WIT)?;
    let package = resolve.push_str("around.wit", AROUND_WIT)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut core = wat::parse_str(text.replace(MEMORY_PLACE, MEMORY))?;
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default()
        .module(&core)?
        .validate(true)
        .encode()
}

/// A component under construction, with its instances.
struct Whole {
    component: Component,
    /// The names of the imported instances, which come first.
    imports: Vec<String>,
    instances: u32,
    components: u32,
}

impl Whole {
    /// Starts with the host imports of another component. They come before everything else there,
    /// so that their indices are the same here.
    fn importing_what(other: &[u8]) -> anyhow::Result<Self> {
        let mut component = Component::new();
        let mut imports = Vec::new();
        // Types, which are only copied if an import follows.
        let mut before = Vec::new();
        for payload in Parser::new(0).parse_all(other) {
            let payload = payload?;
            let Some((id, range)) = payload.as_section() else {
                continue;
            };
            before.push((id, &other[range]));
            let Payload::ComponentImportSection(section) = payload else {
                continue;
            };
            let names = section.into_iter().map(|import| Ok(import?.name.name));
            let names = names.collect::<anyhow::Result<Vec<_>>>()?;
            if !names.iter().all(|name| [HOST, TYPES].contains(name)) {
                break;
            }
            imports.extend(names.into_iter().map(str::to_owned));
            for (id, data) in before.drain(..) {
                component.section(&RawSection { id, data });
            }
        }
        Ok(Self {
            component,
            instances: u32::try_from(imports.len())?,
            imports,
            components: 0,
        })
    }

    fn imported(&self, name: &str) -> anyhow::Result<u32> {
        let at = self.imports.iter().position(|import| import == name);
        let at = at.ok_or_else(|| anyhow!("nothing imports `{name}`"))?;
        u32::try_from(at).context("there are few imports")
    }

    fn instantiate(&mut self, component: &[u8], given: &[(&str, u32)]) -> u32 {
        self.component.section(&RawSection {
            id: ComponentSectionId::Component.into(),
            data: component,
        });
        let given = given.iter().copied();
        let given = given.map(|(name, at)| (name, ComponentExportKind::Instance, at));
        let mut instances = ComponentInstanceSection::new();
        instances.instantiate(self.components, given);
        self.component.section(&instances);
        self.components += 1;
        self.next_instance()
    }

    /// Returns the instance that an instance exports by this name.
    fn export_of(&mut self, instance: u32, name: &str) -> u32 {
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(Alias::InstanceExport {
            instance,
            kind: ComponentExportKind::Instance,
            name,
        });
        self.component.section(&aliases);
        self.next_instance()
    }

    fn next_instance(&mut self) -> u32 {
        self.instances += 1;
        self.instances - 1
    }

    fn exporting(mut self, operator: u32) -> Vec<u8> {
        let mut exports = ComponentExportSection::new();
        exports.export(OPERATOR, ComponentExportKind::Instance, operator, None);
        self.component.section(&exports);
        self.component.finish()
    }
}
