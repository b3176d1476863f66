//! A call of `process`, with batches from one record to thousands: the cost of the boundary, and of
//! a record.

mod support;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use support::{SUM, SUM_CONFIG, batch, component, instance};

/// The stateless operator of `pipeline`.
const STAGE: &str = "tests/guests/stage/stage.wasm";
const KEYS: u64 = 1_000;

fn process(criterion: &mut Criterion) {
    for (name, path, config) in [("stage", STAGE, "{}"), ("sum", SUM, SUM_CONFIG)] {
        let component = component(path);
        let mut group = criterion.benchmark_group(format!("process/{name}"));
        for records in [1, 64, 1_024, 8_192] {
            let mut instance = instance(&component, config);
            let input = batch(0..records, KEYS);
            group.throughput(Throughput::Elements(records));
            group.bench_function(BenchmarkId::from_parameter(records), |bencher| {
                bencher.iter_batched(
                    || input.clone(),
                    |input| instance.process(0, input).expect("the guest is well"),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
    }
}

criterion_group!(benches, process);
criterion_main!(benches);
