import HTTPTestSupport

/// Answers of a server.
enum Sample {
    /// A token of the right shape; it opens nothing.
    static let token = "mks_live_" + String(repeating: "Z", count: 46)

    static let key = """
        {"id":"0198c0de-0000-7000-8000-000000000001","name":"CI","status":"active","type":"service",\
        "prefix":"mks_live_ZZZZZZZ","scopes":["read:orders"],"last_used_at":null,"expires_at":"2030-01-31T12:34:56.789Z"}
        """

    static let newKey = #"{"key":\#(key),"token":"\#(token)"}"#

    static let organization = """
        {"organization":{"id":"org-1","name":"Acme"},"default_workspace":{"id":"ws-1","slug":"default"},\
        "admin_key":{"id":"key-1","prefix":"mka_live_ZZZZZZZ"},"token":"\(token)"}
        """

    static func list(_ items: [String], next: String? = nil) -> Reply {
        .json(#"{"data":[\#(items.joined(separator: ","))],"next_cursor":\#(next.map { "\"\($0)\"" } ?? "null")}"#)
    }

    static func problem(_ status: Int, _ code: String, _ detail: String, more: String = "") -> Reply {
        let text = #"""
            {"type":"/problems/\#(code)","title":"T","status":\#(status),"detail":"\#(detail)","code":"\#(code)","request_id":"req-7"\#(more)}
            """#
        return .answer(status, text, type: "application/problem+json")
    }
}
