package import CoreMetrics
import Locks

/// A backend of swift-metrics that keeps its values in memory and shows them in Prometheus' text format 0.0.4.
///
/// Counters end in `_total` and timers in `_seconds`. A missing suffix is added. Timers and aggregating recorders become
/// histograms. Meters and other recorders become gauges. The same label with the same dimensions is the same series.
///
/// The number of series is bounded. A series beyond the bound, or with a name that has another type, is not kept.
/// `mortise_metrics_series_refused_total` counts such series.
package final class PrometheusRegistry: MetricsFactory {
    /// The default for the maximum number of series of one name.
    package static let defaultSeriesLimit = 1000

    /// The maximum number of names.
    package static let familyLimit = 500

    private struct State {
        var families: [String: MetricFamily] = [:]
        var refused = 0
    }

    private let state = Locked(State())
    private let seriesLimit: Int
    private let help: Locked<[String: String]>
    private let updates = Locked<[@Sendable () -> Void]>([])

    /// Creates a registry.
    ///
    /// - Parameters:
    ///   - help: Texts for the `HELP` lines, by the full name in the output.
    ///   - seriesLimit: The maximum number of combinations of labels for one name.
    package init(help: [String: String] = [:], seriesLimit: Int = defaultSeriesLimit) {
        self.help = Locked(help)
        self.seriesLimit = seriesLimit
    }

    /// Adds texts for the `HELP` lines, by the full name in the output.
    package func describe(_ texts: [String: String]) {
        help.withLock { $0.merge(texts) { _, new in new } }
    }

    /// Runs a closure before each ``exposition()``, to set figures that are read and not counted.
    package func beforeExposition(_ update: @escaping @Sendable () -> Void) {
        updates.withLock { $0.append(update) }
    }

    /// Runs no closure of ``beforeExposition(_:)`` any more, and releases them with all that they hold.
    package func endUpdates() { updates.withLock { $0 = [] } }

    /// Returns a counter.
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, "_total", .counter, dimensions) { CounterSeries() } ?? CounterSeries()
    }

    /// Returns a counter that can grow by fractions.
    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, "_total", .counter, dimensions) { GaugeSeries() } ?? GaugeSeries()
    }

    /// Returns a gauge.
    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, "", .gauge, dimensions) { GaugeSeries() } ?? GaugeSeries()
    }

    /// Returns a histogram if values are aggregated, else a gauge of the last value.
    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate {
            series(label, "", .histogram, dimensions) { HistogramSeries.ofValues() } ?? HistogramSeries.ofValues()
        } else {
            series(label, "", .gauge, dimensions) { GaugeSeries() } ?? GaugeSeries()
        }
    }

    /// Returns a histogram of seconds.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, "_seconds", .histogram, dimensions) { HistogramSeries.ofSeconds() } ?? HistogramSeries.ofSeconds()
    }

    /// Removes the series.
    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }

    /// Removes the series.
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }

    /// Removes the series.
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

    /// Removes the series.
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }

    /// Removes the series.
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    /// Returns all series in the text format, in the order of names and labels.
    ///
    /// A histogram without a value, and a counter of requests without one, is left out: an API with 150 operations has
    /// thousands of such series.
    package func exposition() -> String {
        for update in updates.withLock(\.self) { update() }
        let (families, refused) = state.withLock { ($0.families, $0.refused) }
        let texts = help.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            family.write(name: name, help: texts[name], to: &text)
        }
        text +=
            "# HELP mortise_metrics_series_refused_total Series that were not kept, because of their number or their name.\n"
        text += "# TYPE mortise_metrics_series_refused_total counter\n"
        text += "mortise_metrics_series_refused_total \(refused)\n"
        return text
    }

    /// Returns the series, or `nil` if the registry does not keep it.
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
            let kind = state.families[name]?.kind
            if let known = state.families[name]?.series[labels] {
                if let known = known as? S, kind == type { return known }
                state.refused += 1
                return nil
            }
            let count = state.families[name]?.series.count ?? 0
            guard kind == nil || kind == type, count < seriesLimit,
                kind != nil || state.families.count < Self.familyLimit
            else {
                state.refused += 1
                return nil
            }
            let series = make()
            // In place: a copy of the family would copy all of its series.
            state.families[name, default: MetricFamily(kind: type)].series[labels] = series
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
