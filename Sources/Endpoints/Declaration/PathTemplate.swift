import Hummingbird

/// A path with parameters in braces, such as `/v1/workspaces/{workspace}`.
///
/// A last segment `{name+}` stands for the rest of the path, at least one segment.
package struct PathTemplate: Sendable, Equatable {
    private enum Segment: Sendable, Equatable {
        case literal(String)
        case parameter(String)
        case rest(String)
    }

    /// The text of the template.
    package let text: String

    private let segments: [Segment]

    /// Creates a template from its text.
    package init(_ text: String) {
        self.text = text
        segments = text.split(separator: "/")
            .map { segment in
                guard segment.hasPrefix("{"), segment.hasSuffix("}") else { return .literal(String(segment)) }
                let name = segment.dropFirst().dropLast()
                return name.hasSuffix("+") ? .rest(String(name.dropLast())) : .parameter(String(name))
            }
    }

    /// The names of the parameters, from left to right.
    package var parameterNames: [String] {
        segments.compactMap { segment in
            switch segment {
            case .literal: nil
            case .parameter(let name), .rest(let name): name
            }
        }
    }

    /// The template in OpenAPI's syntax, which has no `+`.
    var openAPIPath: String { text.replacing("+}", with: "}") }

    /// The template without names.
    ///
    /// Two templates of the same shape match the same paths.
    var shape: String {
        segments.map { segment in
            switch segment {
            case .literal(let text): "/\(text)"
            case .parameter: "/{}"
            case .rest: "/{+}"
            }
        }
        .joined()
    }

    /// The template in Hummingbird's syntax.
    var routerPath: RouterPath {
        RouterPath(
            segments.map { segment in
                switch segment {
                case .literal(let text): "/\(text)"
                case .parameter(let name): "/{\(name)}"
                case .rest: "/**"
                }
            }
            .joined()
        )
    }

    /// Returns the parameters of a path with their percent-encoding, or `nil` if the path does not match.
    ///
    /// As in Hummingbird's router, several slashes count as one, and a slash at the end is ignored.
    func match(_ path: String) -> [(name: String, value: Substring)]? {
        let parts = path.split(separator: "/")
        var values: [(name: String, value: Substring)] = []
        for (index, segment) in segments.enumerated() {
            guard index < parts.count else { return nil }
            switch segment {
            case .literal(let text):
                guard text == parts[index] else { return nil }
            case .parameter(let name): values.append((name, parts[index]))
            case .rest(let name):
                values.append((name, path[parts[index].startIndex...]))
                return values
            }
        }
        return parts.count == segments.count ? values : nil
    }
}
