//! The parts of a component, counted before anything is validated or compiled.
//!
//! The limits here are for parts that cost far more than their bytes in the file: functions that
//! are costly to compile, and small definitions that every instantiation of a module pays for
//! again, outside of the count of [`crate::limits::MemoryMeter`]. Nothing here decides whether the
//! component is valid: if it can't be parsed, the validator reports the reason.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, ElementItems, Encoding, FunctionBody, Instance, Parser, Payload,
};

use super::refusal::RefusalCause;

/// The largest number of functions of a component, in all its modules.
const FUNCTIONS: u64 = 200_000;
/// The largest number of bytes of one function's code.
const FUNCTION_BYTES: u64 = 1 << 20;
/// The largest number of locals of one function.
const LOCALS: u64 = 10_000;
/// The largest number of bytes of the engine's own bookkeeping for one instance of the component.
const BOOKKEEPING_BYTES: u64 = 16 << 20;

/// Bytes that the engine keeps for each definition of a module, in every instance of it: somewhat
/// more than any of its structures takes.
const BYTES_PER_DEFINITION: u64 = 48;
/// Bytes that the engine keeps for each item of an element segment.
const BYTES_PER_ELEMENT: u64 = 16;
/// Bytes that the engine keeps for the instance itself.
const BYTES_PER_INSTANCE: u64 = 1_024;

/// The number of elements from which a table may have its own mapping.
const LARGE_TABLE: u64 = 8_192;

/// The needs of one instance of a component, or of a part of it, outside of the contents of its
/// memories and tables. An upper bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// Bytes of the engine's bookkeeping.
    bookkeeping: u64,
    /// Memories.
    pub(crate) memories: u64,
    /// Tables that are large, or may become so.
    pub(crate) tables: u64,
}

impl Footprint {
    fn add(&mut self, other: Self) {
        self.bookkeeping = self.bookkeeping.saturating_add(other.bookkeeping);
        self.memories = self.memories.saturating_add(other.memories);
        self.tables = self.tables.saturating_add(other.tables);
    }

    fn larger(self, other: Self) -> Self {
        Self {
            bookkeeping: self.bookkeeping.max(other.bookkeeping),
            memories: self.memories.max(other.memories),
            tables: self.tables.max(other.tables),
        }
    }
}

/// Rejects a component that would cost too much. Otherwise returns the needs of an instance, which
/// are zero if the component can't be read.
pub(crate) fn check(bytes: &[u8]) -> Result<Footprint, RefusalCause> {
    let too_much = |excess: Excess| RefusalCause::TooMuch {
        what: excess.what,
        found: excess.found,
        limit: excess.limit,
    };
    let mut count = Count::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else {
            return Ok(Footprint::default());
        };
        match count.add(payload) {
            Ok(()) => {}
            Err(Stop::Unreadable) => return Ok(Footprint::default()),
            Err(Stop::Excess(excess)) => return Err(too_much(excess)),
        }
    }
    Ok(count.whole)
}

/// A count above its limit.
struct Excess {
    what: &'static str,
    found: u64,
    limit: u64,
}

/// The reason for ending the count early.
enum Stop {
    Unreadable,
    Excess(Excess),
}

impl From<wasmparser::BinaryReaderError> for Stop {
    fn from(_: wasmparser::BinaryReaderError) -> Self {
        Self::Unreadable
    }
}

fn within(what: &'static str, found: u64, limit: u64) -> Result<(), Stop> {
    if found > limit {
        return Err(Stop::Excess(Excess { what, found, limit }));
    }
    Ok(())
}

/// A module or component that is being read, with the needs of one instance of it.
struct Frame {
    encoding: Encoding,
    footprint: Footprint,
    /// The needs of each module that can be instantiated in it, by index; `components` is alike.
    modules: Vec<Footprint>,
    components: Vec<Footprint>,
}

/// The counts so far.
#[derive(Default)]
struct Count {
    functions: u64,
    /// The modules and components being read, the innermost last.
    open: Vec<Frame>,
    /// The largest needs of the modules and components read so far. An imported one needs no more,
    /// since everything that it can be was read before.
    largest: Footprint,
    /// The needs of the outermost component, once it was read.
    whole: Footprint,
}

impl Count {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the format's enum grows, and most sections cost nothing"
    )]
    fn add(&mut self, payload: Payload<'_>) -> Result<(), Stop> {
        match payload {
            Payload::Version { encoding, .. } => self.open.push(Frame {
                encoding,
                footprint: Footprint {
                    bookkeeping: BYTES_PER_INSTANCE,
                    ..Footprint::default()
                },
                modules: Vec::new(),
                components: Vec::new(),
            }),
            Payload::End(_) => return self.close(),
            Payload::ImportSection(imports) => {
                let imports = imports
                    .into_imports()
                    .try_fold(0, |count, import| import.map(|_| count + 1))?;
                self.definitions(imports);
            }
            Payload::FunctionSection(functions) => {
                let functions = u64::from(functions.count());
                self.functions += functions;
                within("functions", self.functions, FUNCTIONS)?;
                self.definitions(functions);
            }
            Payload::GlobalSection(section) => self.definitions(section.count().into()),
            Payload::TableSection(section) => {
                self.definitions(section.count().into());
                let mut tables = 0;
                for table in section {
                    let most = table?.ty.maximum.unwrap_or(u64::MAX);
                    tables += u64::from(most >= LARGE_TABLE);
                }
                self.needs(Footprint {
                    tables,
                    ..Footprint::default()
                });
            }
            Payload::MemorySection(section) => {
                let memories = section.count().into();
                self.definitions(memories);
                self.needs(Footprint {
                    memories,
                    ..Footprint::default()
                });
            }
            Payload::DataSection(section) => self.definitions(section.count().into()),
            Payload::ElementSection(segments) => {
                for segment in segments {
                    let items = match segment?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    self.definitions(1);
                    self.bytes(BYTES_PER_ELEMENT * u64::from(items));
                }
            }
            Payload::CodeSectionEntry(body) => return function(&body),
            composition => return self.compose(composition),
        }
        Ok(())
    }

    /// Counts the sections that put modules and components together.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the format's enum grows, and most sections cost nothing"
    )]
    fn compose(&mut self, payload: Payload<'_>) -> Result<(), Stop> {
        let largest = self.largest;
        let Some(frame) = self.open.last_mut() else {
            return Err(Stop::Unreadable);
        };
        match payload {
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        frame.instantiate(frame.module(module_index).unwrap_or(largest));
                    }
                }
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances {
                    if let ComponentInstance::Instantiate {
                        component_index, ..
                    } = instance?
                    {
                        frame.instantiate(frame.component(component_index).unwrap_or(largest));
                    }
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    match import?.ty {
                        ComponentTypeRef::Module(_) => frame.modules.push(largest),
                        ComponentTypeRef::Component(_) => frame.components.push(largest),
                        _ => {}
                    }
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    match alias? {
                        ComponentAlias::InstanceExport { kind, .. } => {
                            frame.another(kind, largest);
                        }
                        ComponentAlias::Outer { kind, .. } => match kind {
                            ComponentOuterAliasKind::CoreModule => frame.modules.push(largest),
                            ComponentOuterAliasKind::Component => frame.components.push(largest),
                            ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Type => {}
                        },
                        ComponentAlias::CoreInstanceExport { .. } => {}
                    }
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    frame.another(export?.kind, largest);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Counts `count` definitions in the module that is being read.
    fn definitions(&mut self, count: u64) {
        self.bytes(BYTES_PER_DEFINITION.saturating_mul(count));
    }

    fn bytes(&mut self, bookkeeping: u64) {
        self.needs(Footprint {
            bookkeeping,
            ..Footprint::default()
        });
    }

    fn needs(&mut self, footprint: Footprint) {
        if let Some(frame) = self.open.last_mut() {
            frame.instantiate(footprint);
        }
    }

    /// Closes the innermost module or component, which was read.
    fn close(&mut self) -> Result<(), Stop> {
        let Some(closed) = self.open.pop() else {
            return Err(Stop::Unreadable);
        };
        let footprint = closed.footprint;
        self.largest = self.largest.larger(footprint);
        match (self.open.last_mut(), closed.encoding) {
            (Some(outer), Encoding::Module) => outer.modules.push(footprint),
            (Some(outer), Encoding::Component) => outer.components.push(footprint),
            (None, _) => {
                self.whole = footprint;
                within(
                    "bytes of the engine's bookkeeping for each instance",
                    footprint.bookkeeping,
                    BOOKKEEPING_BYTES,
                )?;
            }
        }
        Ok(())
    }
}

impl Frame {
    fn instantiate(&mut self, footprint: Footprint) {
        self.footprint.add(footprint);
    }

    fn module(&self, index: u32) -> Option<Footprint> {
        self.modules.get(index as usize).copied()
    }

    fn component(&self, index: u32) -> Option<Footprint> {
        self.components.get(index as usize).copied()
    }

    /// Adds a second index for a module or component.
    fn another(&mut self, kind: ComponentExternalKind, footprint: Footprint) {
        match kind {
            ComponentExternalKind::Module => self.modules.push(footprint),
            ComponentExternalKind::Component => self.components.push(footprint),
            ComponentExternalKind::Func
            | ComponentExternalKind::Value
            | ComponentExternalKind::Type
            | ComponentExternalKind::Instance => {}
        }
    }
}

fn function(body: &FunctionBody<'_>) -> Result<(), Stop> {
    let range = body.range();
    within(
        "bytes of code in one function",
        (range.end - range.start) as u64,
        FUNCTION_BYTES,
    )?;
    let mut locals = 0_u64;
    for group in body.get_locals_reader()? {
        let (count, _) = group?;
        locals += u64::from(count);
    }
    within("locals in one function", locals, LOCALS)
}
