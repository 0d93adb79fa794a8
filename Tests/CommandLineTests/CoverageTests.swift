import JSON
import TestSupport
import Testing

/// Compares the commands with the API, so that no setting of the API lacks an option.
@Suite(.hangLimit) struct CoverageTests {
    private enum Command {
        /// A command line without `mortise`.
        case named(String)
        /// No command, for this reason.
        case none(String)
    }

    /// The families of keys, whose operations have the same commands.
    private static let families = ["ServiceKey", "ClientKey", "AdminKey", "OperatorKey"]

    /// Returns the command of an operation of the API.
    ///
    /// `nil` if the operation is new.
    private static func command(_ operation: String) -> Command? {
        for family in families {
            switch operation {
            case "list\(family)s": return .named("key list")
            case "list\(family)Events": return .named("key events")
            case "get\(family)Usage": return .named("key usage")
            case "revoke\(family)s": return .named("key revoke")
            case "disable\(family)s": return .named("key disable")
            case "create\(family)", "get\(family)", "update\(family)", "delete\(family)", "disable\(family)",
                "enable\(family)", "deprecate\(family)", "rotate\(family)", "revoke\(family)":
                return .named("key \(operation.dropLast(family.count))")
            default: break
            }
        }
        return others[operation]
    }

    private static let others: [String: Command] = [
        "createOrganization": .named("organization create"), "listOrganizations": .named("organization list"),
        "getOrganization": .named("organization get"), "updateOrganization": .named("organization update"),
        "deleteOrganization": .named("organization delete"), "listOrganizationEvents": .named("organization events"),
        "createWorkspace": .named("workspace create"), "listWorkspaces": .named("workspace list"),
        "getWorkspace": .named("workspace get"), "updateWorkspace": .named("workspace update"),
        "deleteWorkspace": .named("workspace delete"), "suspendWorkspace": .named("workspace suspend"),
        "resumeWorkspace": .named("workspace resume"), "archiveWorkspace": .named("workspace archive"),
        "restoreWorkspace": .named("workspace restore"), "listWorkspaceEvents": .named("workspace events"),
        "retireClientKeys": .named("key retire"),
        "listMembers": .named("member list"), "addMember": .named("member add"),
        "updateMember": .named("member change"), "removeMember": .named("member remove"),
        "listMemberSessions": .named("member sessions"), "endMemberSessions": .named("member sign-out"),
        "unbindMember": .named("member unbind"),
        "getMember": .none("`member list --query` shows all that a membership has"),
        "signIn": .named("login"),
        "exchangeSignInCode": .none("`login --browser` sends what its own listener received"),
        "signOut": .named("logout"), "getMe": .named("whoami"),
        "refreshSession": .none("commands that use a profile refresh its session"),
        "changePassword": .named("password"), "listOwnSessions": .named("session list"),
        "endOwnSession": .named("session end"), "endOtherSessions": .named("session end"),
        "listSessionIssuers": .named("session-issuer list"), "addSessionIssuer": .named("session-issuer add"),
        "removeSessionIssuer": .named("session-issuer remove"),
        "listWebhooks": .named("webhook list"), "createWebhook": .named("webhook create"),
        "getWebhook": .named("webhook get"), "updateWebhook": .named("webhook update"),
        "deleteWebhook": .named("webhook delete"), "enableWebhook": .named("webhook enable"),
        "disableWebhook": .named("webhook disable"), "rotateWebhookSecret": .named("webhook rotate-secret"),
        "testWebhook": .named("webhook test"), "listWebhookDeliveries": .named("webhook deliveries"),
        "retryWebhookDelivery": .named("webhook retry"),
        "getWorkspaceUsage": .named("workspace usage"), "getStatus": .named("status"),
        "reportLeaks": .none("whoever finds a token has no credential, and curl sends the report"),
        "reportLeaksOfGitHub": .none("GitHub calls it"),
        "verify": .named("verify"), "verifyBatch": .named("verify"),
        "getOpenAPI": .none("`doctor --url` reads it; programs want the document itself"),
    ]

    /// The options whose names differ from the members that they give.
    private static let names: [String: [String]] = [
        "scopes": ["scope"], "permissions": ["permission"], "allowed_namespaces": ["namespace"],
        "allowed_ips": ["allow-ip"],
        "grace_period_seconds": ["grace"], "organization_id": ["organization"], "workspace_id": ["workspace"],
        "member_scopes": ["member-scope"], "algorithms": ["algorithm"], "authorized_parties": ["authorized-party"],
        "group_by": ["by"], "audiences": ["audience"], "read_roles": ["read-role"], "manage_roles": ["manage-role"],
        "password": ["password-file", "ask-password"], "current_password": ["current-password-file"],
        "new_password": ["password-file"], "event_types": ["event"], "token": ["from"], "requests": ["batch"],
        "ids": ["key"],
    ]

    private func options(_ name: String, of root: JSONValue?) throws -> Set<String> {
        var command = root
        for word in name.split(separator: " ") {
            command = command?["subcommands"]?.array?.first { $0["commandName"]?.string == String(word) }
        }
        let arguments = try #require(command?["arguments"]?.array, "there is no command \(name)")
        return Set(
            arguments.flatMap { argument in
                (argument["names"]?.array ?? []).compactMap { $0["name"]?.string }
                    + (argument["kind"]?.string == "positional"
                        ? [argument["valueName"]?.string].compactMap(\.self) : [])
            }
        )
    }

    /// Returns the members of the body and the parameters of the query of an operation.
    private func members(_ operation: JSONValue, _ document: JSONValue) -> [String] {
        let schema = operation["requestBody"]?["content"]?["application/json"]?["schema"]
        let name = schema?["$ref"]?.string?.split(separator: "/").last.map(String.init) ?? ""
        let body = schema?["properties"] ?? document["components"]?["schemas"]?[name]?["properties"]
        let query = (operation["parameters"]?.array ?? []).filter { $0["in"] == "query" }
            .compactMap { $0["name"]?.string }
        return (body?.object?.members.map(\.name) ?? []) + query
    }

    @Test func `every operation of the API has a command, and every member of its request an option`() async throws {
        try await ProcessInstallation.with { installation in
            let document = try await installation.serve { program in
                let port = try await program.port()
                return try await installation.call("GET", "/openapi.json", port: port).body
            }
            try await compare(document)
        }
    }

    private func compare(_ document: JSONValue) async throws {
        let dump = try await Program.run(["--experimental-dump-help"])
        let root = try JSONValue(parsing: Array(dump.output.utf8), limits: JSONLimits(maximumBytes: 1 << 22))["command"]
        let operations = (document["paths"]?.object?.members ?? [])
            .flatMap { path in path.value.object?.members.filter { $0.value["operationId"] != nil } ?? [] }
        #expect(operations.count > 60)
        for operation in operations {
            let id = operation.value["operationId"]?.string ?? ""
            let found = Self.command(id)
            #expect(found != nil, "the operation \(id) has no command")
            guard case .named(let name) = found else { continue }
            let options = try options(name, of: root)
            for member in members(operation.value, document) {
                // Every page of a report is read, and `login` asks for a password without being told to.
                if id.hasSuffix("Usage"), ["limit", "cursor"].contains(member) { continue }
                var expected = Self.names[member] ?? [member.replacing("_", with: "-")]
                if id == "signIn" { expected.removeAll { $0 == "ask-password" } }
                #expect(
                    expected.allSatisfy(options.contains),
                    "\(name) has no option for \(member) of the operation \(id)"
                )
            }
        }
    }
}
