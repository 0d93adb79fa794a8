import Endpoints
import HTTPTypes
import Mustache
import NIOCore

/// Renders the templates, which are resources in the binary.
///
/// A template escapes every value. No template has an unescaped variable, so a name is data whatever it contains.
struct PageRenderer: Sendable {
    private let library: MustacheLibrary
    /// The path of the stylesheet and the scripts, which changes with their content.
    let assets: String

    init() throws {
        library = try Self.parsed.get()
        assets = "/console/assets/\(Assets.version)"
    }

    /// The templates, which a process parses once.
    private static let parsed: Result<MustacheLibrary, any Error> = Result {
        HTMLText.register()
        var library = MustacheLibrary()
        for (name, bytes) in Templates.all {
            try library.register(HTMLText.pragma + String(decoding: bytes, as: UTF8.self), named: name)
        }
        return library
    }

    /// Returns an answer with a page.
    func page(_ template: String, _ values: [String: Any], status: HTTPResponse.Status = .ok) -> EndpointResponse {
        // A section of an empty text would be shown, as if it were a value.
        var values = values.filter { ($0.value as? String)?.isEmpty != true }
        values["assets"] = assets
        let html = library.render(values, withTemplate: template) ?? ""
        return EndpointResponse(status, body: ByteBuffer(string: html), mediaType: "text/html; charset=utf-8")
    }
}

extension EndpointResponse {
    /// Returns the answer with the header fields of every page.
    ///
    /// An answer that can be stored keeps its own `Cache-Control`, and the sign-in its own policy.
    func withPageHeaders() -> EndpointResponse {
        var answer = self
        if answer.headers[.contentSecurityPolicy] == nil {
            answer.headers[.contentSecurityPolicy] = ContentSecurityPolicy.text()
        }
        answer.headers[.xContentTypeOptions] = "nosniff"
        answer.headers[.referrerPolicy] = "same-origin"
        answer.headers[.crossOriginOpenerPolicy] = "same-origin"
        answer.headers[.crossOriginResourcePolicy] = "same-origin"
        answer.headers[.permissionsPolicy] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        if answer.headers[.cacheControl] == nil { answer.headers[.cacheControl] = "no-store" }
        return answer
    }
}

/// The sources from which a page can load something: the console itself and nothing else.
enum ContentSecurityPolicy {
    /// Returns the policy.
    ///
    /// - Parameter origins: The origins to which forms can lead besides the console.
    /// - Returns: The value of the header field.
    static func text(formsTo origins: [String] = []) -> String {
        let targets = (["'self'"] + origins).joined(separator: " ")
        return """
            default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
            form-action \(targets); frame-ancestors 'none'; base-uri 'none'
            """
    }
}
