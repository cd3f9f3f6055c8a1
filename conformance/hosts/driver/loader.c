// loader.exe cancelsafe.sys: loads the driver, which does its work while it is
// being loaded, unloads it again and removes every trace of it. The exit status
// is 0, or the number of the step that failed.
#include <stdio.h>
#include <windows.h>

static const char kName[] = "cancelsafe";

static int Fail(int step, const char* what) {
  fprintf(stderr, "loader: %s: error %lu\n", what, GetLastError());
  return step;
}

int main(int argc, char** argv) {
  char path[MAX_PATH];
  if (argc != 2 || GetFullPathNameA(argv[1], sizeof(path), path, NULL) == 0) {
    fprintf(stderr, "usage: loader cancelsafe.sys\n");
    return 2;
  }
  DeleteFileA("C:\\cancelsafe.tap");
  SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
  if (manager == NULL) return Fail(3, "service manager");
  // What an earlier run left behind when it was killed.
  SC_HANDLE old = OpenServiceA(manager, kName, DELETE);
  if (old != NULL) {
    DeleteService(old);
    CloseServiceHandle(old);
  }
  SC_HANDLE service = CreateServiceA(manager, kName, kName, SERVICE_ALL_ACCESS,
                                     SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START,
                                     SERVICE_ERROR_NORMAL, path, NULL, NULL, NULL, NULL, NULL);
  if (service == NULL) return Fail(4, "create service");
  int result = 0;
  if (!StartServiceA(service, 0, NULL)) result = Fail(5, "start");
  SERVICE_STATUS status;
  if (result == 0 && !ControlService(service, SERVICE_CONTROL_STOP, &status)) {
    result = Fail(6, "stop");
  }
  if (!DeleteService(service)) result = Fail(7, "delete service");
  CloseServiceHandle(service);
  CloseServiceHandle(manager);
  return result;
}
