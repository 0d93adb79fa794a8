import Keys
import Migrations
import Postgres
import Tenancy

extension DatabaseCheckup {
    /// A fault that workspaces can have.
    private enum Fault: Hashable {
        case notExamined
        case lacksMigrations
        case unreachable(String)
        case failed(String)
    }

    /// Examines the databases of all workspaces.
    func fleet(_ control: ControlDatabase, _ names: FleetNames) async throws -> [Finding] {
        let (report, differences) = try await withResource(Provisioner(control)) { provisioner in
            try await provisioner.examineFleet()
        } close: {
            await $0.shutdown()
        }
        let faults = report.outcomes.map { (name: names.name($0.id, slug: $0.name), outcome: $0) }
            .sorted { $0.name < $1.name }
        var findings = showsAll ? faults.compactMap { single($0.name, $0.outcome) } : grouped(faults)
        if let failure = report.listingFailure {
            findings.append(
                Finding(
                    .problem,
                    "Not all workspaces could be examined: \(failure)",
                    remedy: advice(
                        report.listingWords.map { [$0] } ?? [],
                        "The control database has failed meanwhile. Run this again when it answers."
                    )
                )
            )
        }
        return findings + states(differences, names)
    }

    /// The states of workspaces that differ in the same way.
    private struct Difference: Hashable {
        let decided: WorkspaceState
        let own: WorkspaceState
    }

    /// Returns a finding for each way in which the states of workspaces differ.
    private func states(_ differences: [StateDifference], _ names: FleetNames) -> [Finding] {
        Dictionary(grouping: differences) { Difference(decided: $0.decided, own: $0.own) }
            .map { difference, found -> (String, Finding) in
                let all =
                    found.map { workspace -> String in
                        let text = UUIDv7.text(of: workspace.workspaceID)
                        return names.name(text, slug: text)
                    }
                    .sorted()
                let list = showsAll ? all.joined(separator: ", ") : all.summary
                let (decided, own) = (difference.decided.rawValue, difference.own.rawValue)
                let sentence =
                    all.count == 1
                    ? "Workspace \(list) is \(decided), and its own database says \(own)."
                    : "\(all.count) workspaces are \(decided), and their own databases say \(own): \(list)."
                guard difference.own == .active else {
                    let remedy =
                        difference.decided == .active
                        ? "Their keys are refused. Suspend and resume each." : "Suspend or archive each again."
                    return (sentence, Finding(.warning, sentence, remedy: remedy))
                }
                let remedy =
                    "Suspend or archive each again. A server does so when one of their keys is presented, and refuses it. Then see to the keys that were revoked after the backup."
                return (sentence, Finding(.problem, sentence, remedy: remedy))
            }
            .sorted { $0.0 < $1.0 }
            .map(\.1)
    }

    /// Returns what to do about a fault, after the words of the server or of libpq about it.
    func advice(_ words: [String], _ remedy: String) -> String {
        (CommandFailure.quoting(words) + [remedy]).joined(separator: "\n")
    }

    private func single(_ name: String, _ outcome: FleetOutcome) -> Finding? {
        let words = outcome.words.map { [$0] } ?? []
        return switch outcome.status {
        case .upToDate, .migrated:
            showsAll ? Finding(.fine, "The schema of workspace \(name) is up to date.") : nil
        case .skipped: Finding(.warning, "The database of workspace \(name) was not examined.")
        case .pending(let files):
            Finding(
                .warning,
                "The schema of workspace \(name) lacks \(quantity(files.count, "migration")).",
                remedy: "Run `mortise migrate --workspaces`."
            )
        case .failed(let reason):
            Finding(
                .problem,
                "The database of workspace \(name) cannot be examined: \(reason)",
                remedy: outcome.words.map { CommandFailure.quoting($0) }
            )
        case .unreachable(let reason):
            Finding(
                .problem,
                "The database of workspace \(name) cannot be examined: \(reason)",
                remedy: advice(
                    words,
                    "Look at its PostgreSQL server. If the database is gone, restore it from a backup."
                )
            )
        }
    }

    /// Returns one finding for all workspaces with the same fault.
    private func grouped(_ workspaces: [(name: String, outcome: FleetOutcome)]) -> [Finding] {
        let groups = Dictionary(grouping: workspaces) { fault($0.outcome.status) }
        return
            groups.compactMap { fault, workspaces -> (String, Finding)? in
                guard let fault, let first = workspaces.first else { return nil }
                let names = workspaces.map(\.name)
                var words: [String] = []
                for case let said? in workspaces.map(\.outcome.words) where !words.contains(said) { words.append(said) }
                let finding = names.count == 1 ? single(first.name, first.outcome) : all(names, fault, words)
                return finding.map { (first.name, $0) }
            }
            .sorted { $0.0 < $1.0 }
            .map(\.1)
    }

    private func fault(_ status: FleetOutcome.Status) -> Fault? {
        switch status {
        case .upToDate, .migrated: nil
        case .skipped: .notExamined
        case .pending: .lacksMigrations
        case .unreachable(let reason): .unreachable(reason)
        case .failed(let reason): .failed(reason)
        }
    }

    private func all(_ names: [String], _ fault: Fault, _ words: [String]) -> Finding {
        let list = "\(names.summary). --all names each."
        return switch fault {
        case .notExamined: Finding(.warning, "The databases of \(names.count) workspaces were not examined: \(list)")
        case .lacksMigrations:
            Finding(
                .warning,
                "The schemas of \(names.count) workspaces lack migrations: \(list)",
                remedy: "Run `mortise migrate --workspaces`."
            )
        case .unreachable(let reason):
            Finding(
                .problem,
                "The databases of \(names.count) workspaces cannot be examined: \(list)",
                remedy: "\(reason)\n"
                    + advice(
                        words,
                        "Look at their PostgreSQL server. If the databases are gone, restore them from a backup."
                    )
            )
        // The reason says what to do.
        case .failed(let reason):
            Finding(
                .problem,
                "The databases of \(names.count) workspaces cannot be examined: \(list)",
                remedy: ([reason] + CommandFailure.quoting(words)).joined(separator: "\n")
            )
        }
    }
}
