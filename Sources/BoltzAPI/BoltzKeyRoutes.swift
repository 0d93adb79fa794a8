import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service
import Surfaces
import Tenancy

/// The operations on API keys: the keys of all workspaces of the organization, and its admin keys.
struct BoltzKeyRoutes: Sendable {
    let context: BoltzContext

    var endpoints: [BoltzEndpoint] { [create, list, revoke] }

    private static let path = "/compute/v1/admin/api-keys"

    private var create: BoltzEndpoint {
        BoltzEndpoint(
            .post,
            Self.path,
            id: "boltzCreateKey",
            tag: BoltzSurface.Tag.keys,
            summary: "Create a workspace API key",
            description: "Only this answer contains the full key.",
            access: .admin(Permission.keysWrite.rawValue),
            body: .required(BoltzSchema.keyCreate),
            responses: [
                EndpointResult(
                    .ok,
                    "The full key and its data.",
                    .object([
                        .required("key", .string(min: 1, max: 255)), .required("key_details", BoltzKeyJSON.schema),
                    ])
                )
            ],
            problems: [.notFound, .conflict, .workspaceUnavailable, .serviceUnavailable],
            takesIdempotencyKey: true
        ) { request in
            let home = try await home(request.body.optional("workspace_id"), request, .keysWrite)
            let (draft, workspace) = (try draft(request.body), home.workspace)
            let caller = try context.caller(request, path: Self.path)
            let issued = try await context.platform.keys.create(draft, in: home, by: caller) { key in
                BoltzKeyJSON(key, of: workspace).stored
            }
            var writer = JSONWriter(capacity: 768)
            writer.object {
                $0.member("key", issued.token.reveal())
                $0.key("key_details")
                $0.value(rawJSON: issued.answer.utf8)
            }
            let text = String(decoding: writer.bytes, as: UTF8.self)
            return .stored(text, isReplay: issued.isReplay, status: .ok)
        }
    }

    private var list: BoltzEndpoint {
        BoltzEndpoint(
            .get,
            Self.path,
            id: "boltzListKeys",
            tag: BoltzSurface.Tag.keys,
            summary: "List API keys, newest first",
            access: .admin(Permission.keysRead.rawValue),
            query: BoltzSchema.page([
                QueryParameter("workspace_id", BoltzSchema.identifier, "Only keys of this workspace.")
            ]),
            responses: [
                EndpointResult(.ok, "A page of keys.", BoltzPage<BoltzKeyJSON>.schema(of: BoltzKeyJSON.schema))
            ],
            problems: [.notFound, .workspaceUnavailable, .serviceUnavailable],
            // An organization can have many workspaces, each with a database of its own.
            waits: .long
        ) { request in
            let workspace: String? = try request.query.optional("workspace_id")
            let only = workspace == nil ? nil : try await home(workspace, request, .keysRead)
            let asked = try await BoltzPageRequest(request.query) { id in try await place(id, request) }
            if let only {
                let found = try await context.platform.keys.list(KeyFilter(), asked.page, in: only)
                let keys = found.items.map { BoltzKeyJSON($0, of: only.workspace) }
                return asked.answer(keys, hasMore: found.hasMore)
            }
            let principal = try request.caller
            let found = try await context.platform.keys.ofOrganization(asked.page, for: principal)
            let keys = found.items.map { BoltzKeyJSON($0.key, of: $0.workspace) }
            return asked.answer(keys, hasMore: found.hasMore)
        }
    }

    private var revoke: BoltzEndpoint {
        BoltzEndpoint(
            .post,
            Self.path + "/{id}/revoke",
            id: "boltzRevokeKey",
            tag: BoltzSurface.Tag.keys,
            summary: "Revoke an API key",
            description: "A repeated call gets the same answer.",
            access: .admin(Permission.keysWrite.rawValue),
            parameters: [PathParameter("id", "The key's id.")],
            responses: [EndpointResult(.ok, "The revoked key.", BoltzKeyJSON.schema)],
            problems: [.workspaceUnavailable, .serviceUnavailable]
        ) { request in
            guard let named = BoltzIdentifier.readKey(try request.parameter("id")) else { throw Refusal.notFound }
            let caller = try context.caller(request)
            let home = try await context.platform.access.keys(at: named.ref, for: caller.principal, .keysWrite)
            let key = try await context.platform.keys.revoke(named.id, reason: nil, in: home, by: caller)
            return .json(BoltzKeyJSON(key, of: home.workspace))
        }
        .stopping()
    }

    // MARK: Reading requests

    /// Returns the key collection of the workspace with this id, or of the organization's default workspace.
    private func home(_ id: String?, _ request: BoltzRequest, _ permission: Permission) async throws -> KeyCollection {
        var name: String?
        if let id {
            guard let workspace = BoltzIdentifier.readWorkspace(id) else { throw Refusal.notFound }
            name = UUIDv7.text(of: workspace)
        }
        return try await context.platform.access.keys(
            ofWorkspace: name,
            for: try request.caller,
            permission
        )
    }

    private func draft(_ body: Fields) throws -> KeyDraft {
        var draft = KeyDraft(
            name: try body.required("name"),
            kind: .service,
            mode: try body.optional("mode").flatMap(KeyMode.init(rawValue:)),
            allowedAddresses: try body.optional("allowed_ips", as: [String].self)?.map { try AddressRange($0) } ?? []
        )
        if let days: Int = try body.optional("expires_in_days") { draft.expiry = .after(.seconds(days * 86_400)) }
        draft.uniqueness = NameUniqueness.none
        return draft
    }

    /// Returns the position of a key in the list.
    ///
    /// A key keeps its position when it is revoked or deleted.
    private func place(_ id: String, _ request: BoltzRequest) async throws -> PageCursor? {
        guard let named = BoltzIdentifier.readKey(id) else { return nil }
        do {
            let home = try await context.platform.access.keys(
                at: named.ref,
                for: try request.caller,
                .keysRead
            )
            return try await context.platform.keys.cursor(named.id, in: home)
        } catch Refusal.notFound {
            return nil
        }
    }
}
