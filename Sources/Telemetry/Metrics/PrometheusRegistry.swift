package import CoreMetrics
import Synchronization

/// A backend for swift-metrics that keeps its values in memory and shows them in Prometheus' text format 0.0.4.
///
/// Counters are named `…_total` and timers `…_seconds`; where a label lacks the ending it is added. Timers and aggregating
/// recorders become histograms, meters and other recorders gauges. The same label with the same dimensions is the same
/// series, however often it is made.
///
/// The number of series is bounded: what comes after the bound, and what claims a name that has another type or is none,
/// goes nowhere, and `mortise_metrics_series_refused_total` says how much that was.
package final class PrometheusRegistry: MetricsFactory {
    /// How many series one name may have by default.
    package static let defaultSeriesLimit = 1000

    /// How many names there may be.
    package static let familyLimit = 500

    private struct State {
        var families: [String: MetricFamily] = [:]
        var refused = 0
    }

    private let state = Mutex(State())
    private let seriesLimit: Int
    private let help: Mutex<[String: String]>

    /// Makes a registry.
    ///
    /// - Parameters:
    ///   - help: Texts for the `HELP` lines, by the full name in the output.
    ///   - seriesLimit: How many combinations of labels one name may have.
    package init(help: [String: String] = [:], seriesLimit: Int = defaultSeriesLimit) {
        self.help = Mutex(help)
        self.seriesLimit = seriesLimit
    }

    /// Adds texts for the `HELP` lines, by the full name in the output.
    package func describe(_ texts: [String: String]) {
        help.withLock { $0.merge(texts) { _, new in new } }
    }

    /// Makes, or finds, a counter.
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, "_total", .counter, dimensions) { CounterSeries() } ?? CounterSeries()
    }

    /// Makes, or finds, a counter that can grow by fractions.
    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, "_total", .counter, dimensions) { GaugeSeries() } ?? GaugeSeries()
    }

    /// Makes, or finds, a gauge.
    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, "", .gauge, dimensions) { GaugeSeries() } ?? GaugeSeries()
    }

    /// Makes, or finds, a histogram where values are to be aggregated, and a gauge of the last value otherwise.
    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate {
            series(label, "", .histogram, dimensions) { HistogramSeries.ofValues() } ?? HistogramSeries.ofValues()
        } else {
            series(label, "", .gauge, dimensions) { GaugeSeries() } ?? GaugeSeries()
        }
    }

    /// Makes, or finds, a histogram of seconds.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, "_seconds", .histogram, dimensions) { HistogramSeries.ofSeconds() } ?? HistogramSeries.ofSeconds()
    }

    /// Forgets the series.
    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }

    /// Forgets the series.
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }

    /// Forgets the series.
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

    /// Forgets the series.
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }

    /// Forgets the series.
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    /// All series in the text format, names and labels in order.
    package func exposition() -> String {
        let (families, refused) = state.withLock { ($0.families, $0.refused) }
        let help = help.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            family.write(name: name, help: help[name], to: &text)
        }
        text +=
            "# HELP mortise_metrics_series_refused_total Series that were not kept, for their number or their name.\n"
        text += "# TYPE mortise_metrics_series_refused_total counter\n"
        text += "mortise_metrics_series_refused_total \(refused)\n"
        return text
    }

    /// `nil` where the series is refused; the caller then gets one that nobody reads.
    private func series<S: MetricSeries>(
        _ label: String,
        _ suffix: String,
        _ type: MetricFamily.Kind,
        _ dimensions: [(String, String)],
        _ make: () -> S
    ) -> S? {
        let name = MetricName.name(label, suffix: suffix)
        let labels = MetricName.labels(dimensions)
        return state.withLock { state in
            var family = state.families[name] ?? MetricFamily(kind: type)
            if let known = family.series[labels] {
                if let known = known as? S, family.kind == type { return known }
                state.refused += 1
                return nil
            }
            let isNewFamily = family.series.isEmpty
            guard family.kind == type, family.series.count < seriesLimit,
                !isNewFamily || state.families.count < Self.familyLimit
            else {
                state.refused += 1
                return nil
            }
            let series = make()
            family.series[labels] = series
            state.families[name] = family
            return series
        }
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            for (name, var family) in state.families {
                guard let key = family.series.first(where: { $0.value === handler })?.key else { continue }
                family.series[key] = nil
                state.families[name] = family.series.isEmpty ? nil : family
            }
        }
    }
}
