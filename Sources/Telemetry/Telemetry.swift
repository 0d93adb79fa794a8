import CoreMetrics
import JSON
package import Logging
import Traces
package import Tracing

/// The backends of swift-log, swift-metrics and swift-distributed-tracing.
///
/// The program installs them once, before it makes its first logger, so that the lines and figures of libraries come out in
/// the same form as its own and pass through the same redactor. Tests make loggers and registries of their own instead.
package struct Telemetry: Sendable {
    /// The destination and form of log lines.
    package let output: JSONLogHandler.Output

    /// The lowest level that is written.
    package let level: Logger.Level

    /// The figures that `/metrics` shows.
    package let metrics: PrometheusRegistry

    /// Records spans.
    ///
    /// `nil` records none.
    package let tracer: (any Tracer)?

    /// Creates the backends without installing them.
    ///
    /// - Parameters:
    ///   - output: The destination and form of log lines.
    ///   - level: The lowest level that is written.
    ///   - logsSpans: True to write each finished span as a log line.
    package init(output: JSONLogHandler.Output, level: Logger.Level, logsSpans: Bool = false) {
        self.output = output
        self.level = level
        metrics = PrometheusRegistry()
        // Span lines name their own trace, so their handler has no metadata provider.
        tracer =
            logsSpans
            ? LogTracer(
                Logger(label: "mortise.trace") { JSONLogHandler(label: $0, level: .info, output: output) }
            ) : nil
    }

    /// Returns a logger whose lines carry the ids of the current trace.
    package func logger(label: String) -> Logger {
        Logger(label: label) { handler(label: $0, TraceContext.metadataProvider) }
    }

    /// Installs the backends for the whole process, and returns the program's logger.
    ///
    /// The libraries allow one call for each process. A second call stops the process.
    package func bootstrap() -> Logger {
        LoggingSystem.bootstrap(
            { label, provider in handler(label: label, provider) },
            metadataProvider: TraceContext.metadataProvider
        )
        MetricsSystem.bootstrap(metrics)
        if let tracer { InstrumentationSystem.bootstrap(tracer) }
        return Logger(label: "mortise")
    }

    /// Counts the lines that a queue loses, and reports lost and repeated lines in the log itself.
    package func observe(_ queue: LogQueue) {
        let lost = Counter(label: Self.lostLines, factory: metrics)
        metrics.describe([Self.lostLines: "Log lines that were not written, because nobody reads the log fast enough."])
        queue.setObserver(Observer(output: output, lost: lost))
    }

    private static let lostLines = "mortise_log_lines_lost_total"

    private struct Observer: LogQueueObserver {
        let output: JSONLogHandler.Output
        let lost: Counter

        func linesWereLost(_ count: Int) { lost.increment(by: count) }

        func secondPassed() { output.repeated.report(to: output) }

        func line(lost: Int) -> [UInt8] {
            output.bytes(of: output.line(.error, "log lines were lost", [("lost", .integer(Int64(lost)))]))
        }
    }

    private func handler(label: String, _ provider: Logger.MetadataProvider?) -> any LogHandler {
        JSONLogHandler(label: label, level: level, output: output, metadataProvider: provider)
    }
}
