/// Responses of a server, in the formats of its surfaces.
enum Sample {
    static let id = "0198c0de-0000-7000-8000-000000000001"

    static let key = """
        {"id":"\(id)","workspace_id":"\(id)","name":"CI","description":null,"type":"service","mode":"live",\
        "prefix":"mks_live_ZZZZZZZ","status":"active","scopes":["read:orders"],"permissions":[],\
        "allowed_namespaces":null,"allowed_ips":["192.0.2.0/24"],"rate_limit_per_minute":60,"rate_limit_per_hour":null,\
        "expires_at":"2030-01-31T12:34:56.789Z","metadata":{"team":"a","n":1},"created_by":"admin-key:x",\
        "created_at":"2029-01-31T12:34:56Z","updated_at":"2029-01-31T12:34:56Z","last_used_at":null,\
        "deprecated_at":null,"deprecation_reason":null,"grace_period_ends_at":null,"revoked_at":null,"revoked_by":null,\
        "revocation_reason":null,"replaced_by":null,"a_member_of_the_future":[1],\
        "secrets":[{"prefix":"mks_live_ZZZZZZZ","created_at":"2029-01-31T12:34:56Z","ends_at":null,"last_used_at":null}]}
        """

    static let issuedKey = #"{"key":\#(key),"token":"mks_live_secret"}"#

    static let clientKey = """
        {"id":"\(id)","name":"n","key_prefix":"mkc_live_ZZZ","user_id":"u","scopes":["a:b"],\
        "rate_limit_per_minute":100,"created_at":"2029-01-31T12:34:56.123456Z"}
        """

    static let serviceKey = """
        {"id":"\(id)","name":"n","key_prefix":"mks_live_ZZZZZZZ","key_type":"service","scopes":["*"],"enabled":true,\
        "created_at":"2029-01-31T12:34:56Z","key":"mks_live_secret","deprecated_at":"2029-02-01T00:00:00Z"}
        """

    static let clerkKey = """
        {"object":"api_key","id":"ak_0198c0de00007000800000000000000a","type":"api_key","subject":"user_1","name":"n",\
        "description":null,"claims":{"a":[1.5]},"scopes":[],"revoked":false,"revocation_reason":null,"expired":false,\
        "expiration":1896093296789,"created_by":null,"last_used_at":null,"created_at":1896093296000,\
        "updated_at":1896093296000,"secret":"ak_secret"}
        """

    static func boltzKey(_ id: String) -> String {
        """
        {"id":"\(id)","allowed_ips":[],"created_at":"2029-01-31T12:34:56.789Z","expires_at":null,"is_active":true,\
        "key_prefix":"mks_live_ZZZ","key_type":"workspace","last_used_at":null,"livemode":true,"name":"n",\
        "workspace_id":"ws_1"}
        """
    }

    static func boltzPage(_ ids: [String], hasMore: Bool) -> String {
        let first = ids.first.map { "\"\($0)\"" } ?? "null"
        let last = ids.last.map { "\"\($0)\"" } ?? "null"
        let data = ids.map(boltzKey).joined(separator: ",")
        return #"{"data":[\#(data)],"first_id":\#(first),"last_id":\#(last),"has_more":\#(hasMore)}"#
    }

    static func list(_ items: [String], next: String? = nil) -> String {
        #"{"data":[\#(items.joined(separator: ","))],"next_cursor":\#(next.map { "\"\($0)\"" } ?? "null")}"#
    }

    static let issuer = """
        {"id":"\(id)","organization_id":"\(id)","issuer":"https://i.example","jwks_url":"https://i.example/jwks",\
        "jwks_file":null,"has_inline_jwks":false,"algorithms":["RS256"],"authorized_parties":["https://a.example"],\
        "read_roles":["member"],"manage_roles":["admin"],"created_at":"2029-01-31T12:34:56Z"}
        """

    static let verdict = """
        {"valid":false,"code":"rate_limited","key":{"id":"\(id)","kind":"client","workspace_id":"\(id)",\
        "organization_id":"\(id)","name":"n","subject":"u","scopes":[],"mode":"test","expires_at":null,"metadata":{}},\
        "rate_limit":{"limit":2,"remaining":0,"reset_at":"2029-01-31T12:34:56Z"}}
        """
}
