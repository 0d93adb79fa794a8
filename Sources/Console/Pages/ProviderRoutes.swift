import Endpoints
import HTTPTypes
import Service

/// The pages with which members sign in by the identity provider (OpenID Connect).
struct ProviderRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] { context.platform.providerSignIn == nil ? [] : [back, start, callback] }

    private static let path = "/console/oidc"

    /// The page of somebody who reloads the address of the form.
    private var back: ConsoleEndpoint {
        context.open(.get, Self.path, id: "consoleProviderPage") { _ in throw Redirect(location: "/console/sign-in") }
    }

    private var start: ConsoleEndpoint {
        context.open(.post, Self.path, id: "consoleProviderSignIn", waits: .long) { request in
            try context.requireOwnPage(request)
            let form = SignInForm(context)
            guard form.isOwn(request) else { throw form.stale }
            let next = SignInForm.next(request.form["next"])
            do {
                let (provider, redirect) = try place(request)
                let start = try await provider.begin(redirect: redirect, next: next)
                // A page and no redirect: the policy of the sign-in page knows the provider, and not to whom the provider sends the browser
                // on.
                var answer = context.forwardingPage(
                    to: start.location,
                    "You sign in with \(provider.name).",
                    link: "Go on to \(provider.name)"
                )
                let cookie = Cookie.setForLinks(Cookie.provider, start.cookie, seconds: ProviderSignIn.lifetime)
                answer.headers.append(HTTPField(name: .setCookie, value: cookie))
                return answer
            } catch let refusal as ProviderRefusal {
                return refused(refusal, next, request)
            }
        }
    }

    /// The address to which the provider sends the browser back.
    ///
    /// The answer is a page that goes on by itself, because a cookie that is `Strict` is sent neither to this request of another site
    /// nor to the target of a redirect.
    private var callback: ConsoleEndpoint {
        context.open(.get, "\(Self.path)/callback", id: "consoleProviderCallback", waits: .long) { request in
            var answer: EndpointResponse
            var isOver = true
            do {
                let (provider, redirect) = try place(request)
                let completion = try await provider.complete(
                    ProviderSignIn.Callback(
                        code: request.query.unambiguous("code"),
                        state: request.query.unambiguous("state"),
                        issuer: request.query.unambiguous("iss"),
                        error: request.query.unambiguous("error")
                    ),
                    cookie: request.cookie(Cookie.provider),
                    redirect: redirect,
                    from: request.origin
                )
                answer = context.forwardingPage(to: SignInForm.next(completion.next), "You are signed in.")
                let cookie = Cookie.set(Cookie.session, completion.cookie)
                answer.headers.append(HTTPField(name: .setCookie, value: cookie))
            } catch let refusal as ProviderRefusal {
                // A link of any site leads here. It must not end a sign-in that is under way, for example in another tab.
                isOver = refusal != .stale
                answer = refused(refusal, SignInForm.next(""), request)
            }
            if isOver { answer.headers.append(HTTPField(name: .setCookie, value: Cookie.clear(Cookie.provider))) }
            return answer
        }
    }

    /// Returns the provider, and the address to which it sends browsers back.
    private func place(_ request: ConsoleRequest) throws(ProviderRefusal) -> (ProviderSignIn, String) {
        guard let provider = context.platform.providerSignIn,
            let origin = context.origin.origin(of: request.head)
        else { throw .unusable }
        return (provider, "\(origin)\(Self.path)/callback")
    }

    private func refused(_ refusal: ProviderRefusal, _ next: String, _ request: ConsoleRequest) -> EndpointResponse {
        let status: HTTPResponse.Status =
            switch refusal {
            case .stale: .badRequest
            case .unusable: .badGateway
            case .declined, .unverified, .unknown, .otherSubject: .forbidden
            }
        let values: [String: Any] = ["next": next, "faults": ["list": [["text": refusal.sentence]]] as [String: Any]]
        return SignInForm(context).memberPage(request, values, status: status)
    }
}
