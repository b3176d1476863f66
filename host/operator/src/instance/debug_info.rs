//! The place of a guest in its source code: the DWARF sections of a component, read when it
//! trapped.
//!
//! A component controls the contents of these sections, and some kilobytes of them can describe
//! gigabytes. So the host drops them unless the user asks for them (the engine itself never reads
//! them), and all reads for one trap share a [`Budget`]: once it is used up, the remaining frames
//! have no file and line. The size of a component bounds the bytes.

mod metered;

use std::collections::BTreeMap;
use std::ops::Range;

use addr2line::gimli;
use wasmparser::{Parser, Payload};

use self::metered::{Budget, Metered};
use crate::bounded_text::bounded;

/// The largest number of reads of DWARF for one trap. Each keeps at most some tens of bytes.
const READS: u64 = 4_000_000;
/// The largest number of modules of a component whose debug information is kept.
const MODULES: usize = 1_000;
/// The sections that are read.
const SECTIONS: [&str; 9] = [
    ".debug_abbrev",
    ".debug_addr",
    ".debug_info",
    ".debug_line",
    ".debug_line_str",
    ".debug_ranges",
    ".debug_rnglists",
    ".debug_str",
    ".debug_str_offsets",
];
/// The largest number of functions in one frame, where calls were inlined.
const INLINED: usize = 32;
/// The largest number of bytes of a function's or file's name.
const NAME_BYTES: usize = 4 << 10;

/// The debug information of a component's modules.
pub(crate) struct DebugInfo {
    component: Vec<u8>,
    modules: Vec<Module>,
}

/// A module with debug information. Ranges are of the component's bytes.
struct Module {
    code: Range<usize>,
    sections: BTreeMap<String, Range<usize>>,
}

/// A function that was running, and the line that it was at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The function's name in the debug information.
    pub(crate) function: Option<String>,
    /// The file of its source code.
    pub(crate) file: Option<String>,
    /// The line in that file.
    pub(crate) line: Option<u32>,
}

impl DebugInfo {
    /// Reads the debug information of a component that was found to be valid, if it has any.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the format's enum grows, and other sections say nothing of the source code"
    )]
    pub(crate) fn of(component: &[u8]) -> Option<Self> {
        let mut modules = Vec::new();
        let mut open: Vec<Module> = Vec::new();
        for payload in Parser::new(0).parse_all(component) {
            match payload.ok()? {
                Payload::Version { .. } => open.push(Module {
                    code: 0..0,
                    sections: BTreeMap::new(),
                }),
                Payload::CodeSectionStart { range, .. } => open.last_mut()?.code = range,
                Payload::CustomSection(section) if SECTIONS.contains(&section.name()) => {
                    let start = section.data_offset();
                    let data = start..start + section.data().len();
                    let name = section.name().to_owned();
                    open.last_mut()?.sections.insert(name, data);
                }
                Payload::End(_) => {
                    let is_kept = |module: &Module| !module.sections.is_empty();
                    let closed = open.pop().filter(is_kept);
                    if modules.len() < MODULES {
                        modules.extend(closed);
                    }
                }
                _ => {}
            }
        }
        let component = component.to_vec();
        (!modules.is_empty()).then_some(Self { component, modules })
    }

    /// Returns, for each of these offsets in the component, the functions that contain it,
    /// innermost first: several where calls were inlined, none where nothing is known or the budget
    /// is used up.
    pub(crate) fn places(&self, offsets: &[Option<usize>]) -> Vec<Vec<Place>> {
        let budget = Budget::new(READS);
        let mut contexts = BTreeMap::new();
        let mut places = |offset: usize| {
            let holds = |module: &Module| module.code.contains(&offset);
            let index = self.modules.iter().position(holds)?;
            let module = &self.modules[index];
            let context = contexts
                .entry(index)
                .or_insert_with(|| self.context(module, &budget))
                .as_ref()?;
            let probe = u64::try_from(offset - module.code.start).ok()?;
            places_at(context, probe)
        };
        let found = offsets.iter();
        found
            .map(|offset| offset.and_then(&mut places).unwrap_or_default())
            .collect()
    }

    fn context<'a>(&'a self, module: &Module, budget: &'a Budget) -> Option<Context<'a>> {
        let section = |id: gimli::SectionId| -> gimli::Result<Metered<'a>> {
            let range = module.sections.get(id.name()).cloned().unwrap_or_default();
            Ok(Metered::new(&self.component[range], budget))
        };
        Context::from_dwarf(gimli::Dwarf::load(section).ok()?).ok()
    }
}

type Context<'a> = addr2line::Context<Metered<'a>>;

fn places_at(context: &Context<'_>, probe: u64) -> Option<Vec<Place>> {
    let mut frames = context.find_frames(probe).skip_all_loads().ok()?;
    let mut places = Vec::new();
    while places.len() < INLINED
        && let Ok(Some(frame)) = frames.next()
    {
        let function = frame
            .function
            .as_ref()
            .and_then(|name| name.raw_name().ok());
        let (file, line) = frame
            .location
            .map_or((None, None), |location| (location.file, location.line));
        places.push(Place {
            function: function.map(|name| bounded(NAME_BYTES, name)),
            file: file.map(|file| bounded(NAME_BYTES, file)),
            line,
        });
    }
    Some(places)
}

impl std::fmt::Debug for DebugInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DebugInfo")
            .field("modules", &self.modules.len())
            .finish_non_exhaustive()
    }
}
