import Keys
import Logging
import People
import Postgres
import Tenancy

/// Finishes removals of members whose client keys could not all be disabled or revoked, on this node.
///
/// Each node runs one. The control database says which node tries next.
package struct RemovalRetries: Sendable {
    /// The maximum number of workspaces at once, so that unreachable ones hold up no other.
    private static let concurrency = 4
    /// The time between two looks.
    private static let interval = Duration.seconds(5)
    /// The maximum time of an attempt, which is shorter than the time until another node tries.
    private static let deadline = Duration.seconds(15)

    private let members: MemberService

    init(_ members: MemberService) {
        self.members = members
    }

    /// Finishes removals until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            await round()
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Tries each removal that is due once.
    package func round() async {
        while !Task.isCancelled {
            let due = await claim()
            await withDiscardingTaskGroup { group in
                for retirement in due { group.addTask { await attempt(retirement) } }
            }
            if due.count < Self.concurrency { return }
        }
    }

    private func claim() async -> [PendingRetirement] {
        do {
            return try await members.context.databases.control.pool.withConnection {
                try await PendingRetirements($0).claim(Self.concurrency)
            }
        } catch {
            if !Task.isCancelled {
                members.context.logger.debug(
                    "the removals of members that are not finished could not be read",
                    metadata: ["error": "\(error)"]
                )
            }
            return []
        }
    }

    private func attempt(_ retirement: PendingRetirement) async {
        do {
            _ = try await PostgresDeadline.with(Self.deadline) { try await members.finish(retirement, by: .system) }
            members.context.logger.notice(
                "the client keys of a removed member have been changed",
                metadata: Self.facts(retirement)
            )
        } catch {
            if Task.isCancelled { return }
            // A person who was dismissed can still have keys that work. Later attempts have nothing new to say.
            members.context.logger.log(
                level: retirement.attemptCount == 2 ? .warning : .debug,
                "the client keys of a removed member could not be changed yet",
                metadata: Self.facts(retirement).merging(["error": "\(error)"]) { $1 }
            )
        }
    }

    private static func facts(_ retirement: PendingRetirement) -> Logger.Metadata {
        [
            "workspace_id": .string(UUIDv7.text(of: retirement.workspaceID)),
            "user_id": .string(UUIDv7.text(of: retirement.userID)),
        ]
    }
}
