import Endpoints
import HTTPTypes
import Service

/// The page on which a member lets a program on the same machine begin a session (RFC 8252).
///
/// The program listens on the loopback, and the browser brings it the code. So the code reaches no other machine, and a port is all that
/// the program can choose.
struct ProgramRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] { [ask, confirm] }

    private static let path = "/console/login"

    /// The parameters of a program.
    private struct Program {
        let port: Int
        let challenge: String
        let state: String

        /// Reads the parameters, or returns `nil` if one is malformed.
        init?(_ fields: FormFields) {
            guard let port = fields.unambiguous("port").flatMap({ Int($0) }), (1024...65_535).contains(port),
                "\(port)" == fields["port"], let challenge = fields.unambiguous("challenge"),
                SessionService.isChallenge(challenge), let state = fields.unambiguous("state"),
                (16...64).contains(state.utf8.count), state.utf8.allSatisfy(Self.isPlain)
            else { return nil }
            self.port = port
            self.challenge = challenge
            self.state = state
        }

        private static func isPlain(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
    }

    private func program(_ fields: FormFields) throws -> Program {
        guard let program = Program(fields) else {
            throw Problem(
                .invalidRequest,
                detail:
                    "The address is incomplete or was changed. Run `mortise login --browser` again, and open the address that it prints."
            )
        }
        return program
    }

    private var ask: ConsoleEndpoint {
        context.page(Self.path, id: "consoleProgramSignIn") { visit in
            let program = try program(visit.query)
            let values: [String: Any] = [
                "port": "\(program.port)", "challenge": program.challenge, "state": program.state,
                "comparison": SessionService.comparison(of: program.challenge), "account": visit.session.email,
            ]
            return try await visit.page("program", title: "Sign in a program", values)
        }
    }

    private var confirm: ConsoleEndpoint {
        context.action(Self.path, id: "consoleConfirmProgram") { visit in
            let program = try program(visit.form)
            guard let code = visit.platform.sessions.code(for: visit.session, challenge: program.challenge) else {
                throw Problem(.invalidRequest, detail: "The address is incomplete or was changed.")
            }
            let query = FormText.encode([(name: "code", value: code), (name: "state", value: program.state)])
            return context.forwardingPage(
                to: "http://127.0.0.1:\(program.port)/?\(query)",
                "The program on this machine is signed in.",
                link: "Go on if this page stays"
            )
        }
    }
}
