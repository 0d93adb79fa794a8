import HTTPTestSupport

/// Sample answers of a server.
///
/// Each object has a member that no client knows, because a newer server may send more members.
enum Sample {
    /// A token of the right form that belongs to no key.
    static let token = "mks_live_" + String(repeating: "Z", count: 46)

    static let id = "0198c0de-0000-7000-8000-000000000001"

    private static let times = #""created_at":"2029-01-31T12:34:56Z","updated_at":"2029-01-31T12:34:56Z""#

    static let key = key(id)

    static func key(_ id: String, name: String = "CI") -> String {
        """
        {"id":"\(id)","workspace_id":"\(Sample.id)","name":"\(name)","description":null,"type":"service","mode":"live",\
        "prefix":"mks_live_ZZZZZZZ","status":"active","scopes":["read:orders"],"allowed_namespaces":null,"allowed_ips":[],\
        "rate_limit_per_minute":60,"rate_limit_per_hour":null,"expires_at":"2030-01-31T12:34:56.789Z","metadata":{},\
        "created_by":"admin-key:x",\(times),"last_used_at":null,"deprecated_at":null,"grace_period_ends_at":null,\
        "revoked_at":null,"revoked_by":null,"revocation_reason":null,"replaced_by":null,"secrets":[],"unknown":[1.50]}
        """
    }

    static let newKey = #"{"key":\#(key),"token":"\#(token)"}"#

    static let workspace = """
        {"id":"ws-1","organization_id":"org-1","ref":"00abcdef","slug":"default","name":null,"cluster_id":"c-1",\
        "state":"active","is_default":true,\(times),"archived_at":null,"unknown":{}}
        """

    static let organizationAlone = """
        {"id":"org-1","name":"Acme","slug":"acme","token_prefix":null,"default_workspace_id":"ws-1",\(times),"unknown":1}
        """

    static let organization = """
        {"organization":\(organizationAlone),"default_workspace":\(workspace),"admin_key":\(key("key-1")),\
        "token":"\(token)"}
        """

    static let member = """
        {"id":"m-1","user":{"id":"u-1","email":"ada@example.com","name":"Ada","has_password":true},"organization_id":"o-1",\
        "workspace_id":null,"role":"admin",\(times),"unknown":true}
        """

    static let issuer = """
        {"id":"i-1","organization_id":"o-1","issuer":"https://clerk.example.com","jwks_url":"https://clerk.example.com/jwks",\
        "jwks_file":null,"has_inline_jwks":false,"algorithms":["RS256"],"authorized_parties":["https://app.example.com"],\
        "read_roles":["member","billing"],"manage_roles":["admin"],"created_at":"2029-01-31T12:34:56Z","unknown":""}
        """

    static let event = """
        {"id":"e-1","type":"rotated","workspace_id":"ws-1","organization_id":"org-1","key_id":"key-1","key_name":"CI",\
        "actor":"admin-key:x","address":"192.0.2.1","request_id":"req-7","occurred_at":"2029-01-31T12:34:56Z",\
        "changes":{},"unknown":0}
        """

    static func verdict(_ code: String, key id: String = "k") -> String {
        """
        {"valid":\(code == "valid"),"code":"\(code)","key":{"id":"\(id)","kind":"service","workspace_id":"ws-1",\
        "organization_id":"org-1","name":"CI","subject":null,"scopes":[],"mode":"live","expires_at":null,"metadata":{},\
        "unknown":1},"rate_limit":null}
        """
    }

    static func list(_ items: [String], next: String? = nil) -> Reply {
        .json(#"{"data":[\#(items.joined(separator: ","))],"next_cursor":\#(next.map { "\"\($0)\"" } ?? "null")}"#)
    }

    static func problem(_ status: Int, _ code: String, _ detail: String, more: String = "") -> Reply {
        let text = #"""
            {"type":"/problems/\#(code)","title":"T","status":\#(status),"detail":"\#(detail)","code":"\#(code)","request_id":"req-7"\#(more)}
            """#
        return .answer(status, text, type: "application/problem+json")
    }

    /// Answers a request of any command with success.
    static func success(_ request: SeenRequest) -> Reply {
        if request.method == "DELETE", request.uri.hasSuffix("/sessions") { return .json(#"{"sessions":1}"#) }
        if request.uri.hasSuffix("/sessions") { return .json(#"{"data":[]}"#) }
        if request.uri.hasSuffix("/retire-subject") { return .json(#"{"client_keys":"disable","client_key_count":1}"#) }
        if request.uri.contains("-keys/batch/") { return .json(#"{"data":[\#(key),\#(key)]}"#) }
        if request.method == "DELETE" { return .answer(204, "") }
        let path = request.uri.prefix { $0 != "?" }.split(separator: "/").map(String.init)
        if request.method == "GET", request.uri.contains("limit=") { return list([]) }
        let creates = request.method == "POST"
        if let index = path.firstIndex(where: { $0.hasSuffix("-keys") }) {
            let makesToken = creates && (path.count == index + 1 || path.last == "rotate")
            return .json(makesToken ? newKey : key)
        }
        if path.contains("members") { return .json(member) }
        if path.contains("session-issuers") { return .json(issuer) }
        if path.contains("workspaces") { return .json(workspace) }
        return .json(creates ? organization : organizationAlone)
    }
}
