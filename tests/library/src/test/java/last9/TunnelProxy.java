package last9;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A company's proxy: takes {@code CONNECT} alone, and leads to one port of this machine, for any address that is asked for. */
final class TunnelProxy implements AutoCloseable {
    private final ServerSocket server;
    private final int behind;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    /** The heads of the requests that came, each as one text. */
    final List<String> asked = new CopyOnWriteArrayList<>();

    TunnelProxy(int behind) {
        this.behind = behind;
        try {
            server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        threads.submit(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    private Void accept() throws IOException {
        while (true) {
            Socket client = server.accept();
            threads.submit(() -> serve(client));
        }
    }

    private Void serve(Socket client) throws IOException {
        try (client) {
            StringBuilder head = new StringBuilder();
            int read = 0;
            while (head.indexOf("\r\n\r\n") < 0 && (read = client.getInputStream().read()) >= 0) {
                head.append((char) read);
            }
            asked.add(head.toString());
            try (Socket server = new Socket(InetAddress.getLoopbackAddress(), behind)) {
                client.getOutputStream().write("HTTP/1.1 200 Connection established\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                threads.submit(() -> client.getInputStream().transferTo(server.getOutputStream()));
                server.getInputStream().transferTo(client.getOutputStream());
            }
        }
        return null;
    }

    @Override
    public void close() throws IOException {
        server.close();
        threads.shutdownNow();
    }
}
