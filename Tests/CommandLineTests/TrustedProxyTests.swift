import JSON
import TestSupport
import Testing

/// The address of a client behind a proxy, as configured by `--trusted-proxies`.
@Suite(.hangLimit) struct TrustedProxyTests {
    // The attack: a client sends the header itself to imitate an address that a key works from.
    @Test func `a forwarded address is used only if the peer is a trusted proxy`() async throws {
        try await ProcessInstallation.with { installation in
            let seen = try await Self.address(["--trusted-proxies", "10.0.0.0/8, 127.0.0.1"], installation)
            #expect(seen == "192.0.2.7")
            for flags in [[], ["--trusted-proxies", "10.0.0.0/8"]] {
                #expect(try await Self.address(flags, installation) == "127.0.0.1")
            }
        }
    }

    /// Returns the address that an event records for a request with X-Forwarded-For.
    private static func address(_ flags: [String], _ installation: ProcessInstallation) async throws -> String? {
        try await installation.serve(flags) { program in
            let port = try await program.port()
            let list = "/v1/workspaces/default/service-keys"
            let made = try await installation.call(
                "POST",
                list,
                ["name": .string("key \(flags.joined(separator: " "))")],
                port: port,
                headers: [("X-Forwarded-For", "198.51.100.1, 192.0.2.7")]
            )
            let id = try #require(made.body["key"]?["id"]?.string, "\(made)")
            let events = try await installation.call("GET", "\(list)/\(id)/events", port: port)
            return events.body["data"]?.array?.first?["address"]?.string
        }
    }
}
