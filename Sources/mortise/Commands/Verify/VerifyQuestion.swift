import ArgumentParser
import JSON

/// What is asked of a token beyond whether it is valid.
struct VerifyQuestion: ParsableArguments {
    @Option(help: "A scope that the key must have, such as read:orders. Repeat for more.")
    var scope: [String] = []

    @Option(help: "The client's address, for keys that are bound to addresses.")
    var address: String?

    @Option(help: "live or test: the key must be of this mode.")
    var mode: String?

    @Option(help: "The namespace in which the key is to be used.")
    var namespace: String?

    /// The body of one verification.
    func body(_ token: SecretText) -> JSONObject {
        var body = JSONObject()
        body["token"] = .string(token.reveal())
        if !scope.isEmpty { body["scopes"] = .array(scope.map(JSONValue.string)) }
        body["address"] = address.map(JSONValue.string)
        body["mode"] = mode.map(JSONValue.string)
        body["namespace"] = namespace.map(JSONValue.string)
        return body
    }
}
