//! From bytes to a component that is known to be an operator.
//!
//! Everything is checked here, before any guest code runs: size, kind of file, structure, validity
//! within bounds of time and memory, the exported interface function by function, and every import.
//! A loaded component can be instantiated by any number of subtasks. It was compiled once, by this
//! process or, with a [`CodeCache`], by an earlier one. The user's files are read in the binary
//! format only, never as text or precompiled code.

use std::sync::Arc;

use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{HasSelf, InstancePre, Linker};

use super::code_cache::CodeCache;
use super::file_kind::FileKind;
use super::refusal::{Direction, Refusal, RefusalCause};
use super::structure::Footprint;
use super::system_needs::SystemNeeds;
use super::{compiling, structure, system_needs};
use crate::backtrace::SourcesSection;
use crate::bindings::tidegate::operator::types::{Batch, Context, Emission, Failure, StateChunk};
use crate::bindings::{StreamOperator, StreamOperatorPre};
use crate::contract::{HOST_INTERFACE, OPERATOR_FUNCTIONS, OPERATOR_INTERFACE, TYPES_INTERFACE};
use crate::engine::Engine;
use crate::fault::GuestFault;
use crate::guest_text;
use crate::instance::debug_info::DebugInfo;
use crate::instance::host_state::HostState;
use crate::instance::{Instance, InstanceCanceller};
use crate::limits::Limits;
use crate::state_chunk::OperatorContext;

const HOST_FUNCTIONS: [&str; 3] = ["log", "count", "key-groups"];

/// A component that is an operator, compiled and checked. A clone is a handle to the same
/// component.
#[derive(Clone)]
pub struct Component {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    pre: StreamOperatorPre<HostState>,
    debug_info: Option<Arc<DebugInfo>>,
    sources: Option<Arc<SourcesSection>>,
    digest: [u8; 32],
    size: u64,
    footprint: Footprint,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Component {
    /// Checks and compiles a component. `path` is only for messages.
    ///
    /// Compiling takes milliseconds for a small component and seconds for one that carries a
    /// language runtime: do it once and share the result.
    ///
    /// # Errors
    ///
    /// [`Refusal`] names the defect of the file. No guest code has run.
    pub fn load(engine: &Engine, path: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        Self::load_with(engine, None, bytes).map_err(|cause| cause.at(path))
    }

    /// Loads a component from `cache`, or else compiles it and puts it there.
    ///
    /// # Errors
    ///
    /// [`Refusal`], as for [`Component::load`]. Errors of the cache are ignored.
    pub fn load_cached(
        engine: &Engine,
        path: &str,
        bytes: &[u8],
        cache: &CodeCache,
    ) -> Result<Self, Refusal> {
        Self::load_with(engine, Some(cache), bytes).map_err(|cause| cause.at(path))
    }

    fn load_with(
        engine: &Engine,
        cache: Option<&CodeCache>,
        bytes: &[u8],
    ) -> Result<Self, RefusalCause> {
        check_kind(bytes)?;
        let footprint = structure::check(bytes)?;
        let file = ComponentFile { bytes, footprint };
        let cached = cache.and_then(|cache| cache.load(engine.wasmtime(), bytes));
        if let Some(component) = cached {
            return Self::check(engine, &file, &component);
        }
        let component = compiling::compile(engine, bytes)?;
        let checked = Self::check(engine, &file, &component)?;
        if let Some(cache) = cache {
            cache.store(engine.wasmtime(), bytes, &component);
        }
        Ok(checked)
    }

    /// Checks the exports and imports of the component.
    fn check(
        engine: &Engine,
        file: &ComponentFile<'_>,
        component: &wasmtime::component::Component,
    ) -> Result<Self, RefusalCause> {
        let ComponentFile { bytes, footprint } = *file;
        let ty = component.component_type();
        let names = |(name, _): (&str, _)| guest_text::one_line(name);
        let exports: Vec<String> = ty.exports(engine.wasmtime()).map(names).collect();
        let imports: Vec<String> = ty.imports(engine.wasmtime()).map(names).collect();

        let check = Check {
            engine: engine.wasmtime(),
        };
        let operator = check.operator_export(&ty, &exports)?;
        let functions = check.operator_functions(&operator)?;
        check.imports(&imports)?;
        check.host_functions(&ty)?;
        let pre = check.link(component)?;
        check.function_types(&functions, &pre)?;
        let invalid = |reason| RefusalCause::Invalid { reason };
        let pre = StreamOperatorPre::new(pre);
        let pre = pre.map_err(|error| RefusalCause::of_engine(&error, invalid))?;
        let wanted = engine.options().keeps_debug_info;
        let debug_info = wanted.then(|| DebugInfo::of(bytes));
        Ok(Self {
            inner: Arc::new(Inner {
                engine: engine.clone(),
                pre,
                debug_info: debug_info.flatten().map(Arc::new),
                sources: SourcesSection::of(bytes).map(Arc::new),
                digest: blake3::hash(bytes).into(),
                size: bytes.len() as u64,
                footprint,
                imports,
                exports,
            }),
        })
    }

    /// Makes an instance for one subtask and calls its `open`.
    ///
    /// # Errors
    ///
    /// [`GuestFault`] if the component can't be instantiated within its limits, or `open` does not
    /// succeed.
    pub fn instantiate(
        &self,
        context: &OperatorContext,
        limits: &Limits,
    ) -> Result<Instance, GuestFault> {
        self.instantiate_cancellable(context, limits, InstanceCanceller::default())
    }

    /// Makes an instance that `canceller` cancels, also while its `open` runs.
    ///
    /// # Errors
    ///
    /// [`GuestFault`], as for [`Component::instantiate`].
    pub fn instantiate_cancellable(
        &self,
        context: &OperatorContext,
        limits: &Limits,
        canceller: InstanceCanceller,
    ) -> Result<Instance, GuestFault> {
        let Inner {
            engine,
            pre,
            debug_info,
            sources,
            ..
        } = &*self.inner;
        let mut state = HostState::new(engine, canceller, context, limits);
        state.debug_info.clone_from(debug_info);
        state.sources.clone_from(sources);
        Instance::open(pre, state, context, limits)
    }

    /// Returns BLAKE3 of the component's bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.inner.digest
    }

    /// Returns the number of bytes of the component.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.inner.size
    }

    /// Returns an upper bound of the number of memories that an instance has.
    #[must_use]
    pub fn memories(&self) -> u64 {
        self.inner.footprint.memories
    }

    /// Returns the needs of each instance that the system has to meet.
    #[must_use]
    pub fn instance_needs(&self) -> SystemNeeds {
        system_needs::of_instance(self.inner.footprint)
    }

    /// Returns the names of the component's imports.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.inner.imports
    }

    /// Returns the names of the component's exports.
    #[must_use]
    pub fn exports(&self) -> &[String] {
        &self.inner.exports
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("size", &self.inner.size)
            .field("imports", &self.inner.imports)
            .field("exports", &self.inner.exports)
            .finish_non_exhaustive()
    }
}

/// A component as it was read, before it is known to be an operator.
struct ComponentFile<'a> {
    bytes: &'a [u8],
    footprint: Footprint,
}

/// Rejects a file that is not even the beginning of a component.
fn check_kind(bytes: &[u8]) -> Result<(), RefusalCause> {
    if bytes.len() as u64 > Limits::COMPONENT_BYTES {
        return Err(RefusalCause::TooLarge {
            bytes: bytes.len() as u64,
            limit: Limits::COMPONENT_BYTES,
        });
    }
    if bytes.is_empty() {
        return Err(RefusalCause::Empty);
    }
    if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return Err(RefusalCause::Precompiled);
    }
    Err(match FileKind::of(bytes) {
        FileKind::Component => return Ok(()),
        FileKind::CoreModule => RefusalCause::CoreModule,
        FileKind::UnknownWasm(version) => RefusalCause::UnknownVersion {
            version: hexadecimal(&version),
        },
        FileKind::WasmText => RefusalCause::WasmText,
        FileKind::Text(kind) | FileKind::Other(kind) => RefusalCause::NotWasm { kind },
        FileKind::Unknown => RefusalCause::Unrecognised {
            first_bytes: hexadecimal(&bytes[..bytes.len().min(8)]),
        },
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

/// The functions of the operator interface, in the order of [`OPERATOR_FUNCTIONS`].
type OperatorFunctions = [ComponentFunc; OPERATOR_FUNCTIONS.len()];

/// The checks of a component's type.
struct Check<'a> {
    engine: &'a wasmtime::Engine,
}

impl Check<'_> {
    /// Finds the exported operator interface.
    fn operator_export(
        &self,
        ty: &wasmtime::component::types::Component,
        exports: &[String],
    ) -> Result<ComponentInstance, RefusalCause> {
        // By iterating, since a lookup by name would also find other versions.
        let found = ty
            .exports(self.engine)
            .find(|(name, _)| *name == OPERATOR_INTERFACE);
        if let Some(ComponentItem::ComponentInstance(instance)) = found.map(|(_, item)| item.ty) {
            return Ok(instance);
        }
        let other = exports
            .iter()
            .find(|name| is_other_version(name, OPERATOR_INTERFACE));
        Err(match other {
            Some(found) => RefusalCause::OtherVersion {
                verb: Direction::Exports,
                found: found.clone(),
                expected: OPERATOR_INTERFACE,
            },
            None => RefusalCause::MissingExport {
                exports: exports.to_vec(),
            },
        })
    }

    fn operator_functions(
        &self,
        operator: &ComponentInstance,
    ) -> Result<OperatorFunctions, RefusalCause> {
        let mut functions = Vec::with_capacity(OPERATOR_FUNCTIONS.len());
        for function in OPERATOR_FUNCTIONS {
            let item = operator
                .get_export(self.engine, function)
                .map(|item| item.ty);
            let Some(ComponentItem::ComponentFunc(ty)) = item else {
                return Err(RefusalCause::MissingFunction {
                    function,
                    found: self.functions_of(operator),
                });
            };
            functions.push(ty);
        }
        Ok(functions.try_into().expect("one was pushed for each name"))
    }

    fn functions_of(&self, interface: &ComponentInstance) -> Vec<String> {
        let items = interface.exports(self.engine);
        let functions =
            items.filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)));
        functions
            .map(|(name, _)| guest_text::one_line(name))
            .collect()
    }

    fn imports(&self, imports: &[String]) -> Result<(), RefusalCause> {
        for expected in [HOST_INTERFACE, TYPES_INTERFACE] {
            let other = imports.iter().find(|name| is_other_version(name, expected));
            if let Some(found) = other {
                return Err(RefusalCause::OtherVersion {
                    verb: Direction::Imports,
                    found: found.clone(),
                    expected,
                });
            }
        }
        let granted = |name: &String| name == HOST_INTERFACE || name == TYPES_INTERFACE;
        let ungranted: Vec<String> = imports
            .iter()
            .filter(|name| !granted(name))
            .cloned()
            .collect();
        if ungranted.is_empty() {
            return Ok(());
        }
        Err(RefusalCause::UngrantedImports { imports: ungranted })
    }

    fn host_functions(
        &self,
        ty: &wasmtime::component::types::Component,
    ) -> Result<(), RefusalCause> {
        let host = ty
            .imports(self.engine)
            .find(|(name, _)| *name == HOST_INTERFACE);
        let Some(ComponentItem::ComponentInstance(host)) = host.map(|(_, item)| item.ty) else {
            return Ok(());
        };
        let mut functions = self.functions_of(&host);
        functions.retain(|name| !HOST_FUNCTIONS.contains(&name.as_str()));
        if functions.is_empty() {
            return Ok(());
        }
        Err(RefusalCause::UnknownHostFunctions { functions })
    }

    /// Links the host's interface and nothing else, and checks the imports' types.
    fn link(
        &self,
        component: &wasmtime::component::Component,
    ) -> Result<InstancePre<HostState>, RefusalCause> {
        let mut linker = Linker::new(self.engine);
        StreamOperator::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)
            .and_then(|()| linker.instantiate_pre(component))
            .map_err(|error| {
                let wrong = |reason| RefusalCause::WrongImport { reason };
                RefusalCause::of_engine(&error, wrong)
            })
    }

    fn function_types(
        &self,
        functions: &OperatorFunctions,
        pre: &InstancePre<HostState>,
    ) -> Result<(), RefusalCause> {
        let instance = pre.instance_type();
        let [open, process, advance, snapshot, restore, complete, finish] = functions;
        let results = [
            open.typecheck::<(&Context,), (Result<(), Failure>,)>(&instance),
            process.typecheck::<(u32, &Batch), (Result<Vec<Emission>, Failure>,)>(&instance),
            advance.typecheck::<(i64,), (Result<Vec<Emission>, Failure>,)>(&instance),
            snapshot.typecheck::<(u64,), (Result<Vec<StateChunk>, Failure>,)>(&instance),
            restore.typecheck::<(&[StateChunk],), (Result<(), Failure>,)>(&instance),
            complete.typecheck::<(u64,), (Result<(), Failure>,)>(&instance),
            finish.typecheck::<(), (Result<Vec<Emission>, Failure>,)>(&instance),
        ];
        for (function, result) in OPERATOR_FUNCTIONS.into_iter().zip(results) {
            let wrong = |reason| RefusalCause::WrongType { function, reason };
            result.map_err(|error| RefusalCause::of_engine(&error, wrong))?;
        }
        Ok(())
    }
}

/// Returns true if `name` is the interface `expected` in another version, or without one.
fn is_other_version(name: &str, expected: &str) -> bool {
    let interface = |name: &str| name.split('@').next().map(str::to_owned);
    name != expected && interface(name) == interface(expected)
}
