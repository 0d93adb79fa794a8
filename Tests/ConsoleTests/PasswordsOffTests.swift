import JSON
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// An installation in which members sign in with the provider alone.
@Suite(.hangLimit) struct PasswordsOffTests {
    private let sentence = "Passwords are off in this installation."

    // The attack: a password that leaked before passwords were turned off.
    @Test func `a password begins no session on any surface, and the answer says what to do`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation) { _ = try await $0.addMember("ada@example.org", "owner") }
            try await TestProvider.with { provider in
                try await withConsole(of: installation) {
                    $0.identityProvider = provider.settings
                    $0.passwordUse = .off
                } _: { console in
                    let native = try await console.mortise.trySignIn("ada@example.org")
                    #expect(native.status == 403 && native["detail"]?.string?.hasPrefix(sentence) == true, "\(native)")
                    let password = ServerHarness.memberPassword
                    for path in ["/api/v1/auth/signin", "/api/v1/admin/login"] {
                        let answer = try await console.mortise.api.post(
                            path,
                            ["email": "ada@example.org", "password": .string(password)],
                            as: nil
                        )
                        #expect(answer.status == 403 && answer.text.contains(sentence), "\(path): \(answer)")
                    }
                    let browser = console.browser()
                    let page = try await browser.get("/console/sign-in")
                    #expect(
                        !page.text.contains("name=\"password\"") && page.text.contains("Sign in with <bdi>Acme</bdi>")
                    )
                    let forced = try await browser.signIn("ada@example.org")
                    #expect(forced.status == 403 && forced.element("alert")?.contains(sentence) == true)
                    #expect(browser.cookies["__Host-mortise"] == nil)
                }
            }
        }
    }

    @Test func `no password is set or changed, and the forms do not ask for one`() async throws {
        try await withProvider {
            $0.passwordUse = .off
            $0.firstMember = try? FirstMember(email: "ada@example.org", password: nil)
        } _: { console, provider in
            let browser = console.browser()
            let ada = TestProvider.Person("sub-ada", email: "ada@example.org")
            #expect(try await browser.signIn(ada, with: provider).status == 200)
            for path in ["/console/settings", "/console/members"] {
                let page = try await browser.get(path)
                #expect(page.status == 200 && !page.text.contains("type=\"password\""), "\(path)")
            }
            let api = console.mortise.api
            let members = "/v1/organizations/default/members"
            let password = ServerHarness.memberPassword
            let with = try await api.post(
                members,
                ["email": "eve@example.org", "role": "member", "password": .string(password)],
                as: console.mortise.adminToken
            )
            #expect(with.status == 403 && with["detail"]?.string?.hasPrefix(sentence) == true)
            let without = try await api.post(
                members,
                ["email": "eve@example.org", "role": "member"],
                as: console.mortise.adminToken
            )
            #expect(without.status == 201)
            let path = "\(members)/\(try without.string("id"))"
            let change = try await api.send(
                "PATCH",
                path,
                ["password": .string(password)],
                as: console.mortise.adminToken
            )
            #expect(change.status == 403)
            let eve = TestProvider.Person("sub-eve", email: "eve@example.org")
            #expect(try await console.browser().signIn(eve, with: provider).status == 200)
        }
    }

    // The operator turned passwords off, and nobody has tried the provider: the next sign-in may be refused, with no way back.
    @Test func `a start says that no owner has signed in with the provider, until one has`() async throws {
        try await withInstallation { installation in
            try await TestProvider.with { provider in
                let warning = "members may be unable to sign in"
                try await withConsole(of: installation) {
                    $0.identityProvider = provider.settings
                    $0.providerTime = TestProvider.clock
                    $0.passwordUse = .off
                } _: { console in
                    _ = try await console.mortise.api.post(
                        "/v1/organizations/default/members",
                        ["email": "ada@example.org", "role": "owner"],
                        as: console.mortise.adminToken
                    )
                    try await eventually("the start has looked for an owner") {
                        console.mortise.log.lines.contains { $0.message == warning }
                    }
                    let ada = TestProvider.Person("sub-ada", email: "ada@example.org")
                    #expect(try await console.browser().signIn(ada, with: provider).status == 200)
                    let fault = try await console.mortise.server.platform.databases.control.pool.withConnection {
                        try await SignInFault.find(provider.settings, on: $0)
                    }
                    #expect(fault == nil)
                }
            }
        }
    }
}
