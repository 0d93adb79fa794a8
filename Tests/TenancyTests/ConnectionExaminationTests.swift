import Postgres
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct ConnectionExaminationTests {
    // The fault: the standby was promoted while the old primary goes on, and both accept changes.
    @Test func `a standby beside its primary is no fault, and a promoted one is`() async throws {
        try await withReplicatedServer { replicated in
            let hosts = [replicated.primary.configuration(), try await replicated.standby()]
            var both = hosts[0]
            for keyword in ["host", "port"] {
                both.parameters[keyword] = hosts.map { $0.parameters[keyword] ?? "5432" }.joined(separator: ",")
            }
            let examination = ConnectionExamination(
                both,
                reactor: try TestReactor.shared,
                logger: LogCollector().logger
            )
            let before = await examination.hosts()
            #expect(before.faults.isEmpty && before.unreachable.isEmpty)
            #expect(try await examination.sessions().isEmpty)
            try await replicated.promoteStandby()
            let after = await examination.hosts()
            guard case .severalPrimaries(let names)? = after.faults.first else {
                Issue.record("two primaries were not found: \(after)")
                return
            }
            #expect(names.count == 2)
        }
    }
}
