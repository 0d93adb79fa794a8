import ArgumentParser
import Foundation
import Keys
import LocalPostgres
import Logging
import Postgres

/// Measures Mortise against yardsticks in the same run on the same machine, because machines are noisy and ratios are not.
///
/// Everything is started here, on loopback and Unix sockets, for a bounded time, and ended here.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mortise-bench",
        abstract: "Measures Mortise against yardsticks of the same run.",
        discussion: """
            It starts PostgreSQL and the servers itself, on loopback and Unix sockets, and ends them. It needs pgbench and wrk. With \
            --keys 10000 --rounds 3 --seconds 4 it takes about seven minutes on two processors.
            """
    )

    @OptionGroup var options: BenchOptions

    func run() async throws {
        let reactor = try Reactor(name: "bench")
        try await Installation.with(options) { installation in
            Report.heading(
                "\(options.keys) keys, \(options.seconds) s a measurement, \(options.rounds) rounds, alternating"
            )
            let lookups = try await LookUps.measure(installation, options)
            try await Verifications.measure(installation, options, yardstick: lookups.pgbench)
            try await VerificationsFromMemory.measure(installation, options)
            try await WorkspaceCreation.measure(installation, options, reactor)
            try await ManyWorkspaces.measure(installation, options)
        }
        await reactor.shutdown()
    }
}

/// The options of a run.
struct BenchOptions: ParsableArguments, Sendable {
    @Option(help: "The number of keys in the workspace.") var keys = 1_000_000
    @Option(help: "The seconds of each measurement.") var seconds = 5
    @Option(help: "The repetitions of each measurement, of which the median counts.") var rounds = 3
    @Option(help: "The number of workspaces in use at once in the last measurement.") var workspaces = 1000

    /// The number of concurrent clients.
    var clients: Int { 64 }

    func validate() throws {
        guard min(keys, seconds, rounds, workspaces) > 0 else {
            throw ValidationError("Each number must be at least 1.")
        }
    }
}

enum BenchError: Error, CustomStringConvertible {
    case failed(String)

    var description: String {
        switch self {
        case .failed(let what): what
        }
    }
}

/// The printed report.
enum Report {
    /// Prints a line at once, so that a run that fails has shown what it measured.
    static func line(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }

    static func heading(_ text: String) { line("\n\(text)\n") }

    /// Prints a figure beside its yardstick and its goal.
    static func ratio(_ name: String, _ value: Double, _ yardstick: Double, goal: String, isMet: Bool) {
        let ratio = (value / yardstick * 100).rounded() / 100
        line(
            "\(name): \(Self.number(value)) against \(Self.number(yardstick)) = \(ratio)x (goal \(goal): \(isMet ? "met" : "MISSED"))"
        )
    }

    static func figure(_ name: String, _ value: String, goal: String, isMet: Bool) {
        line("\(name): \(value) (goal \(goal): \(isMet ? "met" : "MISSED"))")
    }

    static func number(_ value: Double) -> String {
        value >= 100 ? "\(Int(value.rounded()))" : "\((value * 1000).rounded() / 1000)"
    }

    static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
