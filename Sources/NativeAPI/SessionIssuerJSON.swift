import Endpoints
import JSON
import Keys
import People
import Service
import Tenancy

/// The JSON of a session issuer in the native API.
struct SessionIssuerJSON: JSONWritable {
    let issuer: SessionIssuer

    static let algorithms = Schema.array(of: .oneOf(SessionIssuerService.algorithms), count: 1...10)
    static let names = Schema.array(of: .string(min: 1, max: 255), max: 100)

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("organization_id", NativeSchema.id),
            .required("issuer", .string(min: 1, max: 2048).described("The exact value of the claim `iss`.")),
            .required("jwks_url", .string(max: 2048).orNull),
            .required("jwks_file", .string(max: 4096).orNull),
            .required("has_inline_jwks", .boolean),
            .required("algorithms", algorithms),
            .required(
                "authorized_parties",
                names.described("The accepted values of `azp`. Empty if `azp` is not checked.")
            ),
            .required(
                "audiences",
                names.described("The accepted values of `aud`. Empty if a token must not have the claim.")
            ),
            .required("read_roles", names),
            .required("manage_roles", names),
            .required("created_at", NativeSchema.time),
        ])
        .named("SessionIssuer")

    func write(to writer: inout JSONWriter) {
        var (url, file, isInline): (String?, String?, Bool) = (nil, nil, false)
        switch issuer.keys {
        case .url(let text): url = text
        case .file(let path): file = path
        case .inline: isInline = true
        }
        writer.object {
            $0.member("id", UUIDv7.text(of: issuer.id))
            $0.member("organization_id", UUIDv7.text(of: issuer.organizationID))
            $0.member("issuer", issuer.issuer)
            $0.member("jwks_url", url)
            $0.member("jwks_file", file)
            $0.member("has_inline_jwks", isInline)
            $0.member("algorithms", issuer.algorithms)
            $0.member("authorized_parties", issuer.authorizedParties)
            $0.member("audiences", issuer.audiences)
            $0.member("read_roles", issuer.readRoles)
            $0.member("manage_roles", issuer.manageRoles)
            $0.member("created_at", issuer.createdAt.rfc3339)
        }
    }
}
