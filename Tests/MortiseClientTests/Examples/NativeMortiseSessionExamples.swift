import MortiseClient

/// The examples in `Mortise+Session.swift`.
enum NativeMortiseSessionExamples {
    static func example1() async throws {
        let anybody = Mortise(url: try ServerURL("https://keys.example.com"), credential: nil)
        let ada = try await anybody.signIn(email: "ada@example.com", password: SecretToken("correct horse battery"))
        let keys = try await ada.management.clientKeys.list()
        print(keys.total)
        try await ada.signOut()
    }

    static func example2(_ client: Mortise) async throws {
        try await client.signOut()
    }

    static func example3(_ client: Mortise) async throws {
        let old = SecretToken("correct horse battery")
        let ada = try await client.signIn(email: "ada@example.com", password: old)
        try await ada.changePassword(current: old, new: SecretToken("staple that horse again"))
    }

    static func example4(_ client: Mortise) async throws {
        let me = try await client.me()
        print(me.user?.email ?? me.name ?? "", me.permissions)
    }

    static func example5(_ client: Mortise) async throws {
        let me = try await client.me()
        if let user = me.user {
            print(user.email, me.memberships.map(\.role.rawValue), "in the session", me.sessionID ?? "")
        } else {
            print(me.type, me.keyID ?? "", me.name ?? "", "of", me.organizationID ?? "the platform")
        }
        if !me.permissions.contains("keys:write") { print("This credential makes no keys.") }
    }
}
