import CoreMetrics
import Locks
import Server
import Telemetry
import Testing

@Suite struct PrometheusRegistryTests {
    private let registry = PrometheusRegistry(help: ["requests_total": "Requests.\nAll \\ of them."], seriesLimit: 3)

    private var lines: [String] { registry.exposition().split(separator: "\n").map(String.init) }

    @Test func `a counter counts`() {
        let counter = Counter(label: "requests", dimensions: [("b", "2"), ("a", "1")], factory: registry)
        counter.increment(by: 2)
        counter.increment(by: -5)
        Counter(label: "requests", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        FloatingPointCounter(label: "seconds_total", dimensions: [], factory: registry).increment(by: 0.5)
        #expect(lines.contains("# HELP requests_total Requests.\\nAll \\\\ of them."))
        #expect(lines.contains("# TYPE requests_total counter"))
        #expect(lines.contains(#"requests_total{a="1",b="2"} 3"#))
        #expect(lines.contains("seconds_total 0.5"))
    }

    @Test func `a gauge has the last value`() {
        let meter = Meter(label: "open.connections", dimensions: [], factory: registry)
        meter.set(7)
        meter.increment(by: 2)
        meter.decrement(by: 1)
        Gauge(label: "size", dimensions: [], factory: registry).record(Double.infinity)
        #expect(lines.contains("# TYPE open_connections gauge"))
        #expect(lines.contains("open_connections 8.0"))
        #expect(lines.contains("size +Inf"))
    }

    @Test func `a timer is a histogram of seconds`() {
        let timer = Timer(label: "lookup", dimensions: [("db", "x")], factory: registry)
        timer.recordNanoseconds(100_000)
        timer.recordNanoseconds(100_001)
        timer.recordNanoseconds(60_000_000_000)
        #expect(lines.contains("# TYPE lookup_seconds histogram"))
        #expect(lines.contains(#"lookup_seconds_bucket{db="x",le="0.0001"} 1"#))
        #expect(lines.contains(#"lookup_seconds_bucket{db="x",le="0.00025"} 2"#))
        #expect(lines.contains(#"lookup_seconds_bucket{db="x",le="10.0"} 2"#))
        #expect(lines.contains(#"lookup_seconds_bucket{db="x",le="+Inf"} 3"#))
        #expect(lines.contains(#"lookup_seconds_count{db="x"} 3"#))
        #expect(lines.contains { $0.hasPrefix(#"lookup_seconds_sum{db="x"} 60.0002"#) })
    }

    @Test func `an aggregating recorder is a histogram of values`() {
        Recorder(label: "batch", dimensions: [], aggregate: true, factory: registry).record(5)
        #expect(lines.contains(#"batch_bucket{le="4.0"} 0"#))
        #expect(lines.contains(#"batch_bucket{le="16.0"} 1"#))
        #expect(lines.contains("batch_sum 5.0"))
    }

    // A label can come from a client. A quotation mark or a line feed in it must not create another sample.
    @Test func `names and labels are escaped`() {
        Counter(label: "1 weird-näme", dimensions: [("a b", "x\"} 9\nfake 1\\")], factory: registry).increment()
        #expect(lines.contains(#"_1_weird_n_me_total{a_b="x\"} 9\nfake 1\\"} 1"#))
        #expect(!lines.contains { $0.hasPrefix("fake") })
    }

    // Otherwise a client that can choose a label could exhaust the memory.
    @Test func `the number of series is bounded, and refused series are counted`() {
        for index in 0..<10 { Counter(label: "many", dimensions: [("i", "\(index)")], factory: registry).increment() }
        Meter(label: "many_total", dimensions: [("i", "0")], factory: registry).set(1)
        #expect(lines.filter { $0.hasPrefix("many_total{") }.count == 3)
        #expect(lines.contains("mortise_metrics_series_refused_total 8"))
    }

    @Test func `a destroyed series frees its slot`() {
        let counter = Counter(label: "gone", dimensions: [], factory: registry)
        counter.increment()
        #expect(lines.contains("gone_total 1"))
        counter.destroy()
        #expect(!lines.contains { $0.contains("gone_total") })
    }

    @Test func `every line has the form of the text format`() throws {
        Counter(label: "c", dimensions: [("x", "a\\b\"c\nd{},= é")], factory: registry).increment()
        Timer(label: "t", dimensions: [], factory: registry).recordNanoseconds(5)
        Timer(label: "t", dimensions: [("x", "y")], factory: registry).recordNanoseconds(5)
        Meter(label: "m", dimensions: [], factory: registry).set(-0.5)
        let sample =
            /[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)+\})? (-?[0-9.e+-]+|[+-]Inf|NaN)/
        let comment = /# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+/
        for line in lines {
            #expect(try sample.wholeMatch(in: line) != nil || comment.wholeMatch(in: line) != nil, "\(line)")
        }
    }

    @Test func `threads can count concurrently`() async {
        let counter = Counter(label: "shared", dimensions: [], factory: registry)
        let sum = FloatingPointCounter(label: "sum", dimensions: [], factory: registry)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.increment()
                        sum.increment(by: 0.5)
                    }
                }
            }
        }
        #expect(lines.contains("shared_total 8000"))
        #expect(lines.contains("sum_total 4000.0"))
    }

    // An API of 150 operations had 3,955 series before its first request.
    @Test func `many counters and all histograms appear with their first value, few counters at once`() {
        let registry = PrometheusRegistry()
        let many = (0..<100).map { Counter(label: "many", dimensions: [("n", "\($0)")], factory: registry) }
        let timer = Timer(label: "lookup", dimensions: [], factory: registry)
        let few = Counter(label: "few", dimensions: [("code", "revoked")], factory: registry)
        let before = registry.exposition()
        #expect(!before.contains("many") && !before.contains("lookup"))
        #expect(before.contains(#"few_total{code="revoked"} 0"#))
        many[7].increment()
        timer.recordNanoseconds(1)
        few.increment()
        let after = registry.exposition().split(separator: "\n")
        #expect(after.filter { $0.hasPrefix("many_total") } == [#"many_total{n="7"} 1"#])
        #expect(after.contains("lookup_seconds_count 1"))
    }

    @Test func `figures that are read are those of the moment of the scrape, and a total never falls`() {
        let registry = PrometheusRegistry()
        let value = Locked(1.0)
        let total = RunningTotal("total", registry)
        let meter = Meter(label: "level", factory: registry)
        registry.beforeExposition {
            total.set(value.withLock(\.self))
            meter.set(value.withLock(\.self))
        }
        for (next, level, sum) in [(5.0, "level 5.0", "total_total 5.0"), (2.0, "level 2.0", "total_total 5.0")] {
            value.withLock { $0 = next }
            let lines = registry.exposition().split(separator: "\n").map(String.init)
            #expect(lines.contains(level) && lines.contains(sum), "\(lines)")
        }
    }
}
