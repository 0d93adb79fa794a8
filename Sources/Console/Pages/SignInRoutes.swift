import Endpoints
import HTTPTypes
import Keys
import Service

/// The pages with which members sign in by a password, and out.
struct SignInRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] { [show, signIn, signOut, changeOrganization] + back }

    private static let path = "/console/sign-in"

    private var show: ConsoleEndpoint {
        context.open(.get, Self.path, id: "consoleSignInPage") { request in
            if try await context.visit(request) != nil {
                throw Redirect(location: SignInForm.next(request.query["next"]))
            }
            // A link of another site comes without the cookie of a session that is alive.
            if let arrival = context.arrival(request) { return arrival }
            var values: [String: Any] = ["next": SignInForm.next(request.query["next"])]
            // A link of another site, or in a mail, says nothing about a session.
            if request.isFromConsole {
                if request.query["ended"] == "1" {
                    values["done"] = "Your session has ended, and nothing was changed. Sign in to go on."
                } else if request.query["done"] == "out" {
                    values["done"] = "You are signed out."
                }
            }
            if context.origin.origin(of: request.head) == nil {
                values["faults"] = ["list": [["text": context.origin.refusal(of: request.head)]]]
            }
            return SignInForm(context).memberPage(request, values)
        }
    }

    private var signIn: ConsoleEndpoint {
        context.open(.post, Self.path, id: "consoleSignIn") { request in
            try context.requireOwnPage(request)
            let form = SignInForm(context)
            guard form.isOwn(request) else { throw form.stale }
            let next = SignInForm.next(request.form["next"])
            do {
                let cookie = try await context.platform.sessions.signInBrowser(
                    email: request.form["email"].trimmed,
                    password: request.form["password"],
                    from: request.origin
                )
                if let kept = KeptForm(signIn: request),
                    let answer = try await again(kept.request(after: request, at: next), cookie)
                {
                    return answer
                }
                throw Redirect(
                    location: next,
                    cookies: [Cookie.set(Cookie.session, cookie), Cookie.clear(Cookie.signIn)]
                )
            } catch let refusal as Refusal {
                let (text, status) = try Self.fault(refusal)
                var values: [String: Any] = [
                    "next": next, "email": request.form["email"], "faults": ["list": [["text": text]]] as [String: Any],
                ]
                values["kept"] = KeptForm(signIn: request)?.text
                return form.memberPage(request, values, status: status)
            }
        }
    }

    /// Returns the page with the entries of a form that the sign-in kept, or `nil` if the session has ended already.
    ///
    /// The form can be of another organization of the person than the one that a sign-in opens. A page that is loaded again signs in again,
    /// so the cookie of the sign-in page stays.
    private func again(_ request: ConsoleRequest, _ cookie: String) async throws -> EndpointResponse? {
        var cookie = cookie
        guard var visit = try await context.visit(request, cookie: cookie) else { return nil }
        if let organization = try await visit.organizationOfForm() {
            cookie = try await context.platform.sessions.changeOrganization(
                to: organization,
                by: visit.caller,
                from: request.origin
            )
            guard let other = try await context.visit(request, cookie: cookie) else { return nil }
            visit = other
        }
        let signedIn = visit
        return try await signedIn.answering { try await signedIn.earlierForm(.ok) }
            .setting([Cookie.set(Cookie.session, cookie)])
    }

    /// Returns the sentence for a refused sign-in.
    static func fault(_ refusal: Refusal) throws -> (String, HTTPResponse.Status) {
        switch refusal {
        case .unauthenticated: return ("The address or the password is wrong.", .unauthorized)
        case .tooManyAttempts(let seconds, _):
            let minutes = max(1, (seconds + 59) / 60)
            return (
                "Too many attempts failed. Try again in \(NumberText.counted(minutes, "minute")).", .tooManyRequests
            )
        case .forbiddenKind(let sentence): return (sentence, .forbidden)
        case .overloaded: return ("The service is busy. Try again in a moment.", .serviceUnavailable)
        default: throw refusal
        }
    }

    private var signOut: ConsoleEndpoint {
        context.action("/console/sign-out", id: "consoleSignOut") { visit in
            try await visit.platform.sessions.signOut(visit.caller)
            throw Redirect(location: "\(Self.path)?done=out", cookies: [Cookie.clear(Cookie.session)])
        }
    }

    private var changeOrganization: ConsoleEndpoint {
        context.action("/console/organization", id: "consoleChangeOrganization") { visit in
            guard let id = UUIDv7.parse(visit.form["organization"]) else { throw Refusal.notFound }
            if id == visit.session.organizationID { throw Redirect(location: "/console/") }
            let cookie = try await visit.platform.sessions.changeOrganization(
                to: id,
                by: visit.caller,
                from: visit.request.origin
            )
            throw Redirect(location: "/console/", cookies: [Cookie.set(Cookie.session, cookie)])
        }
    }

    /// The ways on from the addresses of forms that have no page, to which a sign-in leads if the session ended before the click.
    private var back: [ConsoleEndpoint] {
        ["sign-out", "organization"]
            .map { name in
                context.page("/console/\(name)", id: "consoleBack-\(name)") { _ in
                    throw Redirect(location: "/console/")
                }
            }
    }
}

/// A form for a credential, before there is a session.
///
/// A cookie with a random text and the text's signature in the form bind the form to the browser. Otherwise a page of another site could
/// sign a person in as somebody else, who would then see what the person enters.
struct SignInForm: Sendable {
    private let context: ConsoleContext

    init(_ context: ConsoleContext) { self.context = context }

    /// Returns the page of the console that a person wanted, or its first page for a target that is elsewhere.
    static func next(_ target: String, under path: String = "/console/") -> String {
        let isInside = target.hasPrefix(path) && !target.hasPrefix("/console/sign-in")
        let isPlain = target.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
        // A browser resolves such segments, also with encoded dots, and would leave the console.
        let segments = (target.split(separator: "?", maxSplits: 1).first ?? "").lowercased().replacing("%2e", with: ".")
            .split(separator: "/")
        let stays = !segments.contains(where: { $0 == ".." || $0 == "." })
        return isInside && isPlain && stays && target.utf8.count < 2000 ? ConsoleRequest.withoutOutcome(target) : path
    }

    /// Returns the page on which members sign in.
    func memberPage(
        _ request: ConsoleRequest,
        _ values: [String: Any],
        status: HTTPResponse.Status = .ok
    ) -> EndpointResponse {
        let provider = context.platform.providerSignIn
        var values = values
        values["provider"] = provider?.name
        values["hasPasswords"] = context.platform.passwordUse == .on
        var answer = page("sign-in", title: "Sign in", request, values, status: status)
        // The answer to the button leads to the provider, and browsers apply the policy to where a form leads in the end.
        if let provider {
            answer.headers[.contentSecurityPolicy] = ContentSecurityPolicy.text(formsTo: provider.origins)
        }
        return answer
    }

    /// Returns the page on which operators sign in.
    func operatorPage(
        _ request: ConsoleRequest,
        _ values: [String: Any],
        status: HTTPResponse.Status = .ok
    ) -> EndpointResponse {
        page("platform-sign-in", title: "Operators", request, values, status: status)
    }

    /// Returns the page with the form.
    private func page(
        _ template: String,
        title: String,
        _ request: ConsoleRequest,
        _ values: [String: Any],
        status: HTTPResponse.Status = .ok
    ) -> EndpointResponse {
        let known = request.cookie(Cookie.signIn).flatMap { $0.utf8.count == 32 ? $0 : nil }
        let text = known ?? Self.random()
        var values = values
        values["title"] = title
        values["csrf"] = context.signer.sign(text, for: "sign-in form")
        var answer = context.pages.page(template, values, status: status)
        if known == nil { answer.headers[.setCookie] = Cookie.set(Cookie.signIn, text) }
        return answer
    }

    /// Returns true if the form is from a page that this browser was given.
    func isOwn(_ request: ConsoleRequest) -> Bool {
        guard let text = request.cookie(Cookie.signIn), text.utf8.count == 32 else { return false }
        return context.signer.verify(request.form["csrf"], of: text, for: "sign-in form")
    }

    /// The problem of a form from elsewhere.
    let stale = Problem(
        .forbidden,
        detail:
            "The form is not from a page that this browser was given. Open the sign-in page again. The console needs cookies."
    )

    private static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        var text = ""
        while text.utf8.count < 32 { text += String(generator.next(), radix: 36) }
        return String(text.prefix(32))
    }
}
