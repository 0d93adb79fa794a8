import JSON
import Locks
import Logging

/// The repeated causes of all loggers of a process.
final class RepeatedLines: Sendable {
    private let causes = Locked(RepeatedCauses())

    /// The metadata that tell the operations, answers, databases and faults of settings of a repeated message apart.
    ///
    /// Texts of errors are not among them, because some differ in each line.
    private static let details = ["operation", "status", "code", "workspace", "database", "cluster", "fault"]

    /// Returns true if a line is written.
    func admits(_ event: LogEvent, _ logger: String, at now: Int64) -> Bool {
        let cause = RepeatedCauses.Cause(
            level: event.level,
            logger: logger,
            message: event.message.description,
            details: Self.details.map { event.metadata?[$0]?.description ?? "" }
        )
        return causes.withLock { $0.admits(cause, at: now) }
    }

    /// Writes a line for each cause whose lines were left out.
    func report(to output: JSONLogHandler.Output) {
        for omission in causes.withLock({ $0.takeOmissions(at: output.now()) }) {
            let cause = omission.cause
            var fields: [(name: String, value: JSONValue)] = [
                ("count", .integer(Int64(omission.count))), ("of", .string(output.redact(cause.message))),
            ]
            for (name, value) in zip(Self.details, cause.details) where !value.isEmpty {
                fields.append((name, .string(output.redact(value))))
            }
            output.write(output.line(cause.level, "similar lines were left out", fields))
        }
    }
}
