import AsyncHTTPClient
import JSON
import Keys
import Postgres
import Server
import ServerTestSupport
import Service
import Surfaces
import TestSupport
import Testing

/// Rules for passwords, limits for wrong guesses, and fairness of the queue for password checks.
@Suite(.hangLimit) struct PasswordTests {
    private static let behindProxy = ClientAddresses(
        trusting: [AddressRange(containing: .v4(0x7F00_0001), prefixLength: 8)]
    )

    // No attack: the database is unavailable, and a client retries with the right password.
    @Test func `a failed sign-in during an outage does not count as a wrong guess`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "owner")
            try await mortise.cutOff(mortise.installation.control)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<10 { group.addTask { try await mortise.trySignIn("ada@example.org").status } }
                for try await status in group { #expect(status == 503) }
            }
            try await mortise.restore(mortise.installation.control)
            try await eventually("the database is back") {
                try await mortise.api.get("/v1/organizations/default/members", as: mortise.adminToken).status == 200
            }
            // All ten guesses are left.
            for _ in 0..<10 { #expect(try await mortise.trySignIn("ada@example.org", "a wrong guess").status == 401) }
            #expect(try await mortise.trySignIn("ada@example.org", "a wrong guess").status == 429)
        }
    }

    // The attack: a stranger sends so many passwords at once that nobody else can sign in.
    @Test func `one network cannot fill the queue for password checks`() async throws {
        try await withMortise(configure: {
            $0.clients = Self.behindProxy
            $0.passwordCost = .standard
        }) { mortise in
            _ = try await mortise.addMember("ada@example.org", "owner")
            // A client has eight connections by default, which would limit the attack.
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 60
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            defer { client.shutdown { _ in } }
            let stranger = APIClient(client: client, address: mortise.address, endpoints: [])
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        let body: JSONValue = ["email": .string("m\(number)@example.org"), "password": "a guess"]
                        // A customer usually has a whole /64 network.
                        let origin = [("X-Forwarded-For", "2001:db8:1:2::\(number)")]
                        return try await stranger.send("POST", "/v1/sessions", body, as: nil, headers: origin).status
                    }
                }
                // The queue has no more slots for the stranger's network.
                var statuses: Set<Int> = []
                while !statuses.contains(503), let status = try await group.next() { statuses.insert(status) }
                #expect(statuses.contains(503))
                let ada = try await mortise.trySignIn("ada@example.org", from: "192.0.2.7")
                #expect(ada.status == 201, "\(ada)")
                for try await status in group { statuses.insert(status) }
                #expect(statuses.isSubset(of: [401, 503]), "\(statuses)")
            }
        }
    }

    @Test func `a new password has 12 to 256 characters in every operation that sets one`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let client = FluxbaseClient(mortise, key: "anon")
            for (length, isGood) in [(11, false), (12, true), (256, true), (257, false)] {
                // The limit counts characters, not bytes. Each of these characters has four bytes.
                let scalars = (0..<length).compactMap { Unicode.Scalar(0x1F400 + UInt32($0)) }
                let password = String(String.UnicodeScalarView(scalars))
                let added = try await api.post(
                    "/v1/organizations/default/members",
                    ["email": .string("m\(length)@example.org"), "role": "member", "password": .string(password)],
                    as: mortise.adminToken
                )
                #expect(added.status == (isGood ? 201 : 400), "\(length): \(added)")
                if isGood { _ = try await mortise.signIn("m\(length)@example.org", password) }
                let setUp = try await client.post(
                    "/admin/setup",
                    [
                        "email": "first@example.org", "password": .string(password), "name": "F",
                        "setup_token": .string(mortise.adminToken),
                    ]
                )
                #expect(setUp.status == (isGood ? 409 : 400), "\(length): \(setUp)")
                let first = Result { try FirstMember(email: "first@example.org", password: password) }
                #expect(((try? first.get()) != nil) == isGood)
                if case .failure(let error) = first { #expect("\(error)".contains("12 to 256 characters")) }
            }
        }
    }
}
