import Endpoints
import FoundationEssentials
import Keys
import Service
import Surfaces

/// The operations on one kind of keys: their path, their names, and the keys that they reach.
struct FluxbaseKeyFamily: Sendable {
    /// The keys of a tenant that a caller may access with a permission.
    typealias Home =
        @Sendable (
            _ access: AccessControl, _ tenant: String?, _ principal: Principal, _ permission: Permission
        ) async throws -> KeyCollection

    /// The path of the list.
    let path: String
    /// The end of the operations' ids.
    let idSuffix: String
    /// The heading of the operations in the document.
    let tag: String
    /// A key, in a sentence.
    let noun: String
    /// A key, at the start of a sentence.
    let title: String
    /// The callers that an operation permits.
    let access: @Sendable (Permission) -> Access
    /// The keys of a request.
    let home: Home

    /// The service keys of a tenant.
    static let serviceKeys = FluxbaseKeyFamily(
        path: "/api/v1/admin/service-keys",
        idSuffix: "ServiceKey",
        tag: "Service keys",
        noun: "service key",
        title: "Service key",
        access: { .admin($0) },
        home: { access, tenant, principal, permission in
            try await access.keys(ofWorkspace: tenant, for: principal, permission)
        }
    )

    /// The client keys.
    static let clientKeys = ofClientKeys(
        path: "/api/v1/client-keys",
        idSuffix: "ClientKey",
        noun: "client key",
        title: "Client key"
    )

    /// The client keys under their older name.
    static let apiKeys = ofClientKeys(
        path: "/api/v1/api-keys",
        idSuffix: "APIKey",
        noun: "API key",
        title: "API key"
    )

    private static func ofClientKeys(
        path: String,
        idSuffix: String,
        noun: String,
        title: String
    ) -> FluxbaseKeyFamily {
        FluxbaseKeyFamily(
            path: path,
            idSuffix: idSuffix,
            tag: "Client keys",
            noun: noun,
            title: title,
            access: { .owner($0) },
            home: { access, tenant, principal, permission in
                try await access.clientKeys(ofWorkspace: tenant, for: principal, permission)
            }
        )
    }
}

/// The routes of a family of operations on keys.
protocol FluxbaseKeyRoutes: Sendable {
    var context: FluxbaseContext { get }
    var family: FluxbaseKeyFamily { get }
}

extension FluxbaseKeyRoutes {
    var keys: KeyService { context.platform.keys }

    /// Returns the id in the path of a request.
    func id(_ request: FluxbaseRequest) throws -> UUID { try FluxbaseInput.id(request, of: family.noun) }

    /// Declares an operation.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - suffix: The part of the path that follows the path of the list.
    ///   - id: The start of the operation's id.
    ///   - summary: A short imperative sentence.
    ///   - permission: The permission that the caller needs.
    ///   - query: The parameters of the query.
    ///   - body: The body; `nil` without one.
    ///   - response: The successful answer.
    ///   - makes: True if the operation makes a key, and takes an `Idempotency-Key`.
    ///   - handler: Answers a request about the keys of its tenant.
    /// - Returns: The operation.
    func endpoint(
        _ method: EndpointMethod,
        _ suffix: String = "",
        id: String,
        _ summary: String,
        _ permission: Permission,
        query: QuerySchema = .ignored,
        body: RequestBodySchema? = nil,
        _ response: EndpointResult,
        makes: Bool = false,
        handler: @escaping @Sendable (KeyCollection, FluxbaseRequest) async throws -> EndpointResponse
    ) -> FluxbaseEndpoint {
        FluxbaseEndpoint(
            method,
            family.path + suffix,
            id: "fluxbase\(id)\(family.idSuffix)",
            tag: family.tag,
            summary: summary,
            access: family.access(permission),
            parameters: suffix.isEmpty ? [] : [FluxbaseContext.idParameter],
            query: query,
            body: body,
            responses: [response],
            problems: [.conflict, .workspaceUnavailable, .serviceUnavailable],
            takesIdempotencyKey: makes
        ) { [context, family] request in
            let home = try await context.keys(of: request) { tenant in
                try await family.home(context.platform.access, tenant, try request.caller, permission)
            }
            do {
                return try await handler(home, request)
            } catch Refusal.notFound {
                throw Problem(.notFound, code: "NOT_FOUND", detail: "\(family.title) not found")
            }
        }
    }
}
