import GatewayAPI
import Locks
import Logging
import NIOCore
import TestSupport
import Testing

/// The lines about faults in the configuration of a gateway.
@Suite struct ConfigurationLogTests {
    // The fault: a gateway repeats its fault with every request of its clients, and the log has nothing else.
    @Test func `each kind of fault has one line a minute, which says how many more there were`() {
        let log = LogCollector()
        let now = Locked(NIODeadline.uptimeNanoseconds(1))
        let faults = ConfigurationLog(log.logger) { now.withLock { $0 } }
        func suppressed() -> [String] { log.lines.compactMap { $0.metadata["suppressed"] } }
        let kinds: [ConfigurationLog.Kind] = [
            .options(CheckFault(.unknown)), .options(CheckFault(.malformed, .scope)),
            .options(CheckFault(.malformed, .mode)), .audience, .credential, .proxyHeader,
        ]
        for _ in 0..<3 {
            for kind in kinds { faults.report(kind) }
        }
        #expect(suppressed() == Array(repeating: "0", count: kinds.count))
        #expect(Set(log.lines.compactMap { $0.metadata["fault"] }).count == kinds.count)
        #expect(log.lines.allSatisfy { $0.level == .warning && $0.metadata["next"] != nil })
        now.withLock { $0 = $0 + TimeAmount.seconds(59) }
        faults.report(.audience)
        #expect(suppressed().count == kinds.count)
        now.withLock { $0 = $0 + TimeAmount.seconds(1) }
        faults.report(.audience)
        faults.report(.audience)
        #expect(suppressed().dropFirst(kinds.count) == ["3"])
    }
}
