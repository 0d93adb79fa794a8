import BoltzAPI
import ClerkAPI
import FluxbaseAPI
import Foundation
import JSON
import Locks
import Logging
import NativeAPI
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Generated requests against every operation of every surface.
@Suite(.hangLimit(.seconds(600))) struct DialectFuzzTests {
    private static let requests = 56_000
    private static let workers = 8
    private static let mostFaults = 20

    /// The error after too many wrong answers.
    ///
    /// The remaining requests are not sent.
    private struct TooManyFaults: Error {}

    /// The number of answers, by status and by the intended operation.
    private final class Tally: Sendable {
        let statuses = Locked<[Int: Int]>([:])
        let reached = Locked<[FuzzAim: Set<Int>]>([:])
        let faults = Locked(0)

        func note(_ request: FuzzRequest, _ status: Int) {
            statuses.withLock { $0[status, default: 0] += 1 }
            guard let aim = request.aim else { return }
            reached.withLock { _ = $0[aim, default: []].insert(status) }
        }
    }

    // The attack: any input of a stranger or a customer, in any dialect. A 5xx answer can be used for damage, and so
    // can a connection that closes without an answer.
    @Test func `no HTTP request to any dialect gets a 5xx answer or a closed connection`() async throws {
        try await withMortise { mortise in
            let targets = Self.targets(mortise)
            let world = try await FuzzWorld.make(mortise)
            let passing = try await FuzzWorld.passingSessions(12 * Self.workers, mortise)
            let tally = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<Self.workers {
                    group.addTask {
                        var generator = RequestGenerator(
                            seed: UInt64(worker),
                            targets: targets,
                            world: world,
                            passing: Array(passing.dropFirst(12 * worker).prefix(12))
                        )
                        try await FuzzConnection.run(Self.requests / Self.workers, to: mortise.address) {
                            generator.next()
                        } check: { request, status, body in
                            tally.note(request, status)
                            try Self.check(request, status, body, tally, mortise)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let statuses = tally.statuses.withLock { $0 }
            #expect(statuses.values.reduce(0, +) >= 50_000)
            // The test would be worthless if no request succeeded.
            #expect(statuses[200, default: 0] > 1000 && statuses[400, default: 0] > 1000, "\(statuses)")
            let reached = tally.reached.withLock { $0 }
            Self.requireReach(reached, targets)
            let done = targets.filter { target in
                reached.contains { aim, statuses in
                    aim.operation == target.operation && statuses.contains { (200..<300).contains($0) }
                }
            }
            // Operations that are not offered or that succeed once only may never succeed here. Created objects may
            // also be deleted.
            #expect(done.count * 4 >= targets.count * 3, "\(done.count) of \(targets.count) operations succeeded")
            #expect(!mortise.log.text.contains("status=500"))
            if ProcessInfo.processInfo.environment["MORTISE_FUZZ_REPORT"] != nil {
                print("fuzz: \(done.count) of \(targets.count) operations succeeded; \(statuses)")
                for target in targets {
                    let found = reached.filter { $0.key.operation == target.operation }
                    let list = found.map { "\($0.key.kind?.rawValue ?? "-") \($0.value.sorted())" }.sorted()
                    print("fuzz: \(target.operation): \(list.joined(separator: "; "))")
                }
            }
        }
    }

    private static func targets(_ mortise: ServerHarness) -> [FuzzTarget] {
        let server = mortise.server
        return FuzzTarget.all(server.native.table, of: .native) + FuzzTarget.all(server.fluxbase.table, of: .fluxbase)
            + FuzzTarget.all(server.clerk.table, of: .clerk) + FuzzTarget.all(server.boltz.table, of: .boltz)
    }

    private static func check(
        _ request: FuzzRequest,
        _ status: Int,
        _ body: [UInt8],
        _ tally: Tally,
        _ mortise: ServerHarness
    ) throws {
        guard !isGood(request, status, body) else { return }
        let causes = mortise.log.lines.filter { $0.level >= .warning }.suffix(5).map(\.text)
        Issue.record("\(status) \(excerpt(body)): \(request) \(causes)")
        let count = tally.faults.withLock { faults in
            faults += 1
            return faults
        }
        if count >= mostFaults { throw TooManyFaults() }
    }

    private static func isGood(_ request: FuzzRequest, _ status: Int, _ body: [UInt8]) -> Bool {
        // The server may close a connection that receives invalid HTTP.
        guard (200..<500).contains(status) || (status == 0 && !request.isHTTP) else { return false }
        // Every refusal has a JSON body in the error format of a dialect. Invalid HTTP is refused without a body,
        // because there is no request.
        guard status >= 400, request.method != "HEAD", request.isHTTP else { return true }
        return (try? JSONValue(parsing: body))?.object != nil
    }

    /// Expects that each operation accepted each kind of caller that it is for.
    ///
    /// A request that is refused for its caller tests nothing behind that refusal.
    private static func requireReach(_ reached: [FuzzAim: Set<Int>], _ targets: [FuzzTarget]) {
        for target in targets {
            let callers = target.callers.map(Optional.some)
            for kind in callers.isEmpty ? [nil] : callers {
                let statuses = reached[FuzzAim(operation: target.operation, kind: kind)] ?? []
                let isIn = statuses.contains { kind == nil ? (200..<500).contains($0) : ![0, 401, 403].contains($0) }
                #expect(isIn, "\(target.operation) as \(kind?.rawValue ?? "anybody"): \(statuses)")
            }
        }
    }

    private static func excerpt(_ body: [UInt8]) -> String { String(decoding: body.prefix(300), as: UTF8.self) }
}
